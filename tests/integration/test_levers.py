"""Neither a root's name nor what is mounted in it brings a lever of the host inside: not its cgroups, not its kernel."""

from collections.abc import Iterator

import pytest

from tests.integration.harness import images
from tests.integration.harness.host import DRIVERS, Host
from tests.integration.harness.judge import SEVEN, refused
from tests.integration.harness.link import PYTHON

WAYS = (
    "unshare", "one by one", "clone", "clone3", "unshare of x32", "clone of x32", "unshare of i386",
    "the namespace that is there",
)  # fmt: skip


@pytest.fixture
def folder(host: Host) -> Iterator[str]:
    """A folder with a root in which the host's own Python runs; others are prepared beside it."""
    path = host.new("levers")
    images.host_tree(host, f"{path}/tree")
    host.shell('mkdir "$1/tree/sys" "$1/tree/host" && touch "$1/tree/file"', path)
    yield path
    host.remove(path)


@pytest.mark.parametrize("table", ["spellings", "prepared", "binds"])
def test_no_lever_of_the_host_can_be_moved(host: Host, folder: str, table: str) -> None:
    assert host.drive("levers.py", folder, table) == []


@pytest.mark.parametrize("case", ["tmpfs", "bind", "bound"])
def test_no_hidden_lever_comes_out(host: Host, own_rootfs: str, case: str) -> None:
    """Another program in the same root, where nothing hides the folder that they are in, moves that folder."""
    assert host.drive("hidden_levers.py", own_rootfs, case) == []


@pytest.mark.parametrize(
    "source",
    ["/proc", "//proc/.", "/proc/sys", "/proc/self", "/proc/self/root/proc", "/proc/uptime", "/proc/self/ns/../cmdline"],
)
def test_a_procfs_is_not_bound(host: Host, rootfs: str, source: str) -> None:
    """It would be covered at once: what is asked for and can't be is refused."""
    refused(host.contained("--chroot", rootfs, "--bind", f"{source}:/host", "--", *SEVEN), "^contain: --bind .*procfs")


def test_the_folder_of_the_hosts_cgroups_is_read_only(host: Host, own_rootfs: str) -> None:
    """On v1 it is a tmpfs, which only its place in a sysfs tells from any other."""
    host.run("mkdir", f"{own_rootfs}/host")
    for source in ("/sys/fs/cgroup", "/sys/fs"):
        bind = ("--bind", f"{source}:/host")
        made = "mkdir /host/contain-new /host/cgroup/contain-new 2>/dev/null || exit 7"
        ran = host.contained("--chroot", own_rootfs, "--quiet", *bind, "--", "sh", "-c", made)
        assert (ran.status, ran.stderr) == (7, b""), ran


@pytest.mark.parametrize(
    "root",
    ["/proc", "/sys", "/proc/self/", "/proc/1/../sys", "/sys/kernel", "/sys/fs/cgroup", "CGROUP", "/proc/self/ns/..", "/dev"],
)
def test_a_pseudo_file_system_is_no_root(host: Host, root: str) -> None:
    if root == "CGROUP":
        root = host.shell("while read -r _ at kind _; do case $kind in cgroup*) echo $at; exit;; esac; done </proc/mounts").line
    refused(host.contained("--chroot", root, "--", *SEVEN), "^contain: rootfs .* of the kernel's")


def test_what_is_bound_below_sys_is_seen_there(host: Host, own_rootfs: str) -> None:
    """Then the sysfs that is there stays, read-only, instead of one that would lie over what was asked for."""
    host.run("mkdir", f"{own_rootfs}/sys")
    words = ("--bind", "/sys:/sys", "--bind", f"{own_rootfs}/etc:/sys/kernel:ro", "--tmpfs", "/sys/fs")
    script = "cat /sys/kernel/image; touch /sys/fs/new && ls /sys/fs /sys/firmware; touch /sys/kernel/new || exit 7"
    ran = host.contained("--chroot", own_rootfs, *words, "--", "sh", "-c", script)
    assert (ran.status, ran.lines) == (7, ["contained", "/sys/firmware:", "", "/sys/fs:", "new"]), ran


def test_explain_tells_of_it(host: Host, rootfs: str) -> None:
    lines = host.contained("explain", "--chroot", rootfs, "--", "sh").succeeded().lines
    assert [line for line in lines if "ro,nosuid,nodev,noexec" in line and "cgroup" in line]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("options", ["--memory-limit 64M --cpu-core-ids 0", "--pids-limit max", "--allow-setuid"])
def test_a_program_can_not_mount_its_cgroups(host: Host, host_tree: tuple[str, ...], way: str, options: str) -> None:
    """Their files are user 0's: it would raise its own limits, or, without a group of its own, stop the host's services."""
    host.put(f"{host_tree[1]}/tmp/own_cgroups.py", (DRIVERS / "own_cgroups.py").read_bytes())
    ran = host.contained("--quiet", *host_tree, *options.split(), "--", PYTHON, "-IS", "/tmp/own_cgroups.py", way)
    assert (ran.status, ran.lines, ran.errors) == (0, [], ""), ran


def test_threads_and_user_namespaces_are_had_all_the_same(host: Host, host_tree: tuple[str, ...]) -> None:
    script = "import ctypes, threading; t = threading.Thread(target=print, args=('on',)); t.start(); t.join()"
    script += "; print(ctypes.CDLL(None).unshare(0x10000000))"
    ran = host.contained(*host_tree, "--", PYTHON, "-IS", "-c", script).succeeded()
    assert ran.lines == ["on", "0"]
