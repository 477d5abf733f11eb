"""Which mounts below the new root a path leads to is told by mountinfo alone."""

import pytest

from contain.pseudo import mounts

# Number, parent, place: what is mounted in this order.
TABLES = {
    "side by side": ([(2, 1, "/a"), (3, 1, "/b"), (4, 1, "/ab")], {1, 2, 3, 4}),
    "below": ([(2, 1, "/a"), (3, 2, "/a/b"), (4, 3, "/a/b/c")], {1, 2, 3, 4}),
    "over": ([(2, 1, "/a"), (3, 2, "/a"), (4, 3, "/a")], {1, 4}),
    "over what has something below": ([(2, 1, "/a"), (3, 2, "/a/b"), (4, 2, "/a")], {1, 4}),
    "over a folder above": ([(2, 1, "/a/b"), (3, 1, "/a"), (4, 1, "/ab/c")], {1, 3, 4}),
    "the same name again": ([(2, 1, "/a/b"), (3, 1, "/a"), (4, 3, "/a/b")], {1, 3, 4}),
    "below what is hidden": ([(2, 1, "/a/b"), (3, 2, "/a/b/c"), (4, 1, "/a")], {1, 4}),
    "a name that begins alike": ([(2, 1, "/a"), (3, 1, "/a\\040b"), (4, 1, "/a-b/c")], {1, 2, 3, 4}),
    "of another tree": ([(2, 0, "/"), (3, 2, "/a"), (4, 1, "/a")], {1, 4}),
    "in any order": ([(4, 3, "/a/b/c"), (3, 2, "/a/b"), (2, 1, "/a")], {1, 2, 3, 4}),
}


def line(number: int, parent: int, place: str) -> bytes:
    return f"{number} {parent} 0:{number} / {place} rw,relatime shared:7 - tmpfs - rw\n".encode()


@pytest.mark.parametrize(("table", "reached"), TABLES.values(), ids=TABLES)
def test_a_mount_in_reach_is_one_that_nothing_lies_over(table: list[tuple[int, int, str]], reached: set[int]) -> None:
    mountinfo = line(1, 0, "/") + b"".join(line(*row) for row in table)
    assert {mount.number for mount in mounts(mountinfo, 1) if mount.in_reach()} == reached


def test_each_mount_comes_after_the_one_it_is_mounted_on() -> None:
    mountinfo = line(4, 3, "/a/b/c") + line(3, 2, "/a/b") + line(2, 1, "/a") + line(1, 0, "/")
    assert [mount.number for mount in mounts(mountinfo, 1)] == [1, 2, 3, 4]


def test_a_field_with_every_separator_is_one_field() -> None:
    raw = b"5 1 0:5 /x\\040-\\040y /a\\040-\\040proc rw - proc - rw\n"
    found = mounts(line(1, 0, "/") + raw, 1)[1]
    assert (found.root, found.place, found.kind) == (b"/x\\040-\\040y", b"/a\\040-\\040proc", b"proc")
