"""hierarchy.find: v1, hybrid, v2 and the view of a container, from the very texts that kernels print."""

from pathlib import Path

import pytest

from contain.errors import ContainError
from contain.hierarchy import Hierarchy, find, holding, unescape

V1_MOUNTS = b"""\
23 28 0:21 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
31 23 0:27 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:9 - tmpfs tmpfs ro,mode=755
32 31 0:28 / /sys/fs/cgroup/systemd rw,nosuid shared:10 - cgroup cgroup rw,xattr,name=systemd
33 31 0:31 / /sys/fs/cgroup/memory rw,nosuid shared:15 - cgroup cgroup rw,memory
34 31 0:32 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:16 master:2 - cgroup cgroup rw,cpu,cpuacct
35 31 0:33 / /sys/fs/cgroup/cpuset rw,nosuid - cgroup cgroup rw,cpuset
36 31 0:34 / /sys/fs/cgroup/pids rw,nosuid shared:18 - cgroup cgroup rw,pids
"""
V1_OWN = b"""\
9:pids:/user.slice/user-0.slice/session-1.scope
8:cpuset:/
5:cpu,cpuacct:/user.slice
4:memory:/user.slice/user-0.slice
1:name=systemd:/user.slice/user-0.slice/session-1.scope
"""


def told(found: list[Hierarchy]) -> list[tuple[int, list[bytes], bytes, bytes]]:
    return [(h.version, sorted(h.controllers), h.mount, h.own) for h in found]


def v2_mount(folder: Path, root: bytes = b"/", controllers: str = "cpuset cpu io memory pids\n") -> bytes:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup.controllers").write_text(controllers, encoding="ascii")
    shown = bytes(folder).replace(b"\\", rb"\134").replace(b" ", rb"\040").replace(b"\n", rb"\012")
    return b"42 23 0:40 " + root + b" " + shown + b" rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"


def test_pure_v1_gives_the_hierarchies_that_can_limit_what_we_limit() -> None:
    assert told(find(V1_MOUNTS, V1_OWN)) == [
        (1, [b"memory"], b"/sys/fs/cgroup/memory", b"/user.slice/user-0.slice"),
        (1, [b"cpuset"], b"/sys/fs/cgroup/cpuset", b"/"),
        (1, [b"pids"], b"/sys/fs/cgroup/pids", b"/user.slice/user-0.slice/session-1.scope"),
    ]


def test_controllers_mounted_together_are_one_hierarchy() -> None:
    mounts = b"33 31 0:31 / /cg/both rw - cgroup none rw,cpuset,memory\n"
    assert told(find(mounts, b"3:cpuset,memory:/a\n")) == [(1, [b"cpuset", b"memory"], b"/cg/both", b"/a")]


def test_hybrid_gives_v1_where_v1_has_the_controller(tmp_path: Path) -> None:
    found = find(V1_MOUNTS + v2_mount(tmp_path, controllers="io\n"), V1_OWN + b"0::/user.slice\n")
    assert told(found)[-1] == (2, [b"io"], bytes(tmp_path), b"/user.slice")
    assert holding(b"memory", found).version == 1


@pytest.mark.row("B96")
def test_hybrid_with_an_empty_v2_still_uses_v1(tmp_path: Path) -> None:
    found = find(v2_mount(tmp_path, controllers="\n") + V1_MOUNTS, V1_OWN + b"0::/\n")
    assert [holding(name, found).version for name in (b"memory", b"cpuset", b"pids")] == [1, 1, 1]


def test_v2_alone_has_all_controllers_in_one_place(tmp_path: Path) -> None:
    found = find(v2_mount(tmp_path), b"0::/user.slice/session-1.scope\n")
    names = [b"cpu", b"cpuset", b"io", b"memory", b"pids"]
    assert told(found) == [(2, names, bytes(tmp_path), b"/user.slice/session-1.scope")]
    assert holding(b"memory", found) is holding(b"cpuset", found)


@pytest.mark.parametrize(
    ("root", "path", "own"),
    [
        (b"/docker/abc", b"/docker/abc", b"/"),
        (b"/docker/abc", b"/docker/abc/leaf", b"/leaf"),
        (b"/", b"/docker/abc", b"/docker/abc"),
        (b"/", b"/", b"/"),
    ],
)
def test_a_container_counts_from_the_mounted_part(tmp_path: Path, root: bytes, path: bytes, own: bytes) -> None:
    (found,) = find(v2_mount(tmp_path, root), b"0::" + path + b"\n")
    assert found.own == own
    assert found.path(own) == (bytes(tmp_path) if own == b"/" else bytes(tmp_path) + own)


@pytest.mark.parametrize(
    ("root", "path"), [(b"/docker/abc", b"/"), (b"/docker/abc", b"/docker/abcdef"), (b"/../..", b"/elsewhere/x")]
)
def test_a_mount_that_does_not_hold_our_group_is_no_use(tmp_path: Path, root: bytes, path: bytes) -> None:
    assert find(v2_mount(tmp_path, root), b"0::" + path + b"\n") == []


def test_v1_of_a_container_counts_from_the_mounted_part_too() -> None:
    mounts = b"33 31 0:31 /docker/abc /sys/fs/cgroup/memory ro,nosuid master:15 - cgroup cgroup rw,memory\n"
    assert told(find(mounts, b"4:memory:/docker/abc/job\n")) == [(1, [b"memory"], b"/sys/fs/cgroup/memory", b"/job")]


@pytest.mark.parametrize("name", ["a b", "a\nb", "a\\b", "a\\040b"])
def test_an_escaped_mount_point_is_read_as_it_was(tmp_path: Path, name: str) -> None:
    (found,) = find(v2_mount(tmp_path / name), b"0::/\n")
    assert found.mount == bytes(tmp_path / name)
    assert b"memory" in found.controllers


@pytest.mark.parametrize(
    ("field", "plain"),
    [(rb"/a", b"/a"), (rb"\040", b" "), (rb"a\011b\012", b"a\tb\n"), (rb"\134040", rb"\040"), (b"\xff", b"\xff")],
)
def test_octal_escapes_are_undone_once(field: bytes, plain: bytes) -> None:
    assert unescape(field) == plain


def test_a_hierarchy_mounted_twice_counts_once_and_the_first_wins() -> None:
    again = b"90 23 0:31 / /mnt/memory rw - cgroup cgroup rw,memory\n"
    holders = [h for h in find(V1_MOUNTS + again, V1_OWN) if b"memory" in h.controllers]
    assert [h.mount for h in holders] == [b"/sys/fs/cgroup/memory"]


@pytest.mark.row("B95")
def test_what_is_not_mounted_is_told_with_the_remedy() -> None:
    assert find(b"", V1_OWN) == []
    with pytest.raises(ContainError, match="cgroup memory: cgroups are not mounted here") as caught:
        holding(b"memory", [])
    assert "mount -t cgroup2" in caught.value.hint


@pytest.mark.row("B95")
@pytest.mark.parametrize(("controller", "remedy"), [(b"memory", "cgroup_enable=memory"), (b"pids", "--pids-limit max")])
def test_a_controller_that_no_hierarchy_has_is_named(controller: bytes, remedy: str) -> None:
    found = [h for h in find(V1_MOUNTS, V1_OWN) if controller not in h.controllers]
    with pytest.raises(ContainError, match=f"hierarchy has the {controller.decode()} controller") as caught:
        holding(controller, found)
    assert remedy in caught.value.hint
