"""placement on cgroup v2, asked of a directory tree with the files that such a mount has."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from contain.cgroup import GroupV2, Limits
from contain.errors import ContainError
from contain.hierarchy import Hierarchy
from contain.placement import SHARED, available_cores, check, place_v2, refuse_if_limited

NEEDED = [b"memory", b"cpuset", b"pids"]
ALL = "cpuset cpu io memory pids"
LIMITS = Limits(64 << 20, (0,), 4096)
Make = Callable[..., None]


@pytest.fixture
def group(tmp_path: Path) -> Make:
    """`group("/a/b", **files)`: a group with those files; `_` in a file's name stands for its dot."""

    def make(path: str, hands_out: str = "", pids: str = "", **files: str) -> None:
        folder = tmp_path / path.lstrip("/")
        folder.mkdir(parents=True, exist_ok=True)
        content = {"cgroup.controllers": ALL, "cgroup.subtree_control": hands_out, "cgroup.procs": pids}
        if path != "/":  # the real root has no type and no limits
            content |= {"cgroup.type": "domain", "memory.max": "max", "memory.high": "max", "cpu.max": "max 100000"}
            content |= {"cpuset.cpus": "", "cpuset.mems": "", "pids.max": "max"}
        content |= {name.replace("_", ".", 1): value for name, value in files.items()}
        for name, value in content.items():
            (folder / name).write_text(value + "\n", encoding="ascii")

    make("/", ALL)
    return make


def place(mount: Path, own: str, parent: bytes | None = None) -> GroupV2:
    hierarchy = Hierarchy(2, frozenset(ALL.encode().split()), bytes(mount), own.encode())
    return place_v2(hierarchy, NEEDED, LIMITS, parent)


def test_the_group_the_user_names_comes_first(tmp_path: Path, group: Make) -> None:
    group("/box", "memory")
    group("/own", pids=str(os.getpid()))
    made = place(tmp_path, "/own", b"/box")
    assert (made.parent, made.leaf, made.shared) == (b"/box", b"", False)
    assert made.enable == [(b"/box", [b"cpuset", b"pids"])]


def test_a_named_group_that_hands_out_all_is_left_as_it_is(tmp_path: Path, group: Make) -> None:
    group("/box", ALL)
    assert place(tmp_path, "/", b"/box").enable == []


def test_alone_in_a_delegated_group_the_launcher_moves_to_a_leaf(tmp_path: Path, group: Make) -> None:
    group("/scope", pids=str(os.getpid()), memory_max="1000000")  # its own limit goes on to bind the program
    made = place(tmp_path, "/scope")
    assert (made.parent, made.leaf) == (b"/scope", bytes(tmp_path) + b"/scope/contain.launcher")
    assert made.enable == [(b"/scope", NEEDED)]


@pytest.mark.parametrize("pids", ["1", "{own}\n1", ""])
def test_not_alone_it_goes_up_to_who_hands_out_all(tmp_path: Path, group: Make, pids: str) -> None:
    group("/a", ALL)
    group("/a/b", "memory pids")
    group("/a/b/c", pids=pids.format(own=os.getpid()))
    made = place(tmp_path, "/a/b/c")
    assert (made.parent, made.enable, made.leaf, made.shared) == (b"/a", [], b"", False)


def test_a_group_that_was_not_given_all_is_no_place_even_if_alone(tmp_path: Path, group: Make) -> None:
    group("/scope", pids=str(os.getpid()), cgroup_controllers="memory pids")
    assert place(tmp_path, "/scope").parent == SHARED


def test_else_the_root_hands_out_to_a_group_of_contains_own(tmp_path: Path, group: Make) -> None:
    group("/", "memory pids")
    group("/user.slice", "memory pids")
    group("/user.slice/s", pids="1\n2")
    made = place(tmp_path, "/user.slice/s")
    assert (made.parent, made.shared) == (SHARED, True)
    assert made.enable == [(b"/", NEEDED), (SHARED, NEEDED)]


def test_a_launcher_in_the_root_uses_contains_own_group(tmp_path: Path) -> None:
    assert place(tmp_path, "/").parent == SHARED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("memory_max", "104857600"), ("memory_high", "104857600"), ("cpu_max", "50000 100000"),
        ("cpuset_cpus", "0-1"), ("cpuset_mems", "0"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("where", ["/a", "/a/b"])
def test_a_limit_on_the_way_up_is_never_escaped(tmp_path: Path, group: Make, name: str, value: str, where: str) -> None:
    group("/a")
    group("/a/b", pids="1\n2")
    group(where, pids="1\n2", **{name: value})
    with pytest.raises(ContainError, match=f"the launcher's cgroup {where} has a limit .*{value}") as caught:
        place(tmp_path, "/a/b")
    assert "--cgroup-parent" in caught.value.hint


def test_a_limit_of_the_place_itself_binds_the_program_and_is_fine(tmp_path: Path, group: Make) -> None:
    group("/a", ALL, memory_max="104857600")
    group("/a/b", pids="1\n2")
    assert place(tmp_path, "/a/b").parent == b"/a"


def test_the_limit_on_tasks_that_every_login_has_does_not_count(tmp_path: Path, group: Make) -> None:
    group("/a", pids_max="5000")
    refuse_if_limited(Hierarchy(2, frozenset(), bytes(tmp_path), b"/a"), b"/a")


def test_in_a_container_without_a_place_the_remedy_is_named(tmp_path: Path, group: Make) -> None:
    (tmp_path / "cgroup.type").write_text("domain\n", encoding="ascii")  # the mounted top is not the real root
    group("/job", pids="1\n2")
    with pytest.raises(ContainError, match="no group above the launcher's hands out memory, cpuset, pids") as caught:
        place(tmp_path, "/job")
    assert "Delegate=yes" in caught.value.hint


def test_cores_are_those_of_the_nearest_group_with_a_cpuset(tmp_path: Path, group: Make) -> None:
    group("/a", **{"cpuset_cpus.effective": "2-3"})
    group("/a/b")
    hierarchy = Hierarchy(2, frozenset(NEEDED), bytes(tmp_path), b"/a/b")
    assert available_cores(hierarchy, hierarchy.path(b"/a/b")) == {2, 3}


@pytest.mark.row("B39")
@pytest.mark.parametrize(
    ("cores", "words"), [((1, 3), "cpu 1 not available: there is 0,3 here"), ((1, 2, 3), "cpus 1-2 not available")]
)
def test_cores_outside_the_cpuset_are_named(tmp_path: Path, group: Make, cores: tuple[int, ...], words: str) -> None:
    group("/box", **{"cpuset_cpus.effective": "0,3"})
    hierarchy = Hierarchy(2, frozenset(NEEDED), bytes(tmp_path), b"/")
    with pytest.raises(ContainError, match=words):
        check(place_v2(hierarchy, NEEDED, Limits(None, cores, None), b"/box"), privileged=False)
