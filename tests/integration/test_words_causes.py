"""A bare errno is never the whole answer: where the kernel has one number for many causes, the one at hand is named.

What needs other mounts is done in a mount namespace of its own, which goes with the command that made it.
"""

from collections.abc import Iterator

import pytest

from tests.integration.harness import elf
from tests.integration.harness.host import Host
from tests.integration.harness.judge import SEVEN, accepted, refused
from tests.integration.harness.running import Finished

pytestmark = pytest.mark.anywhere

MOUNTS = ("unshare", "--mount", "--propagation", "private", "sh", "-ec")


@pytest.fixture
def place(host: Host) -> Iterator[str]:
    """An empty folder."""
    path = host.new("place")
    host.run("mkdir", path)
    yield path
    host.remove(path)


def in_mounts(host: Host, script: str, *words: str) -> Finished:
    """`script` in a mount namespace of its own; `$0` is contain."""
    return host.finish(*MOUNTS, script, host.contain_path, *words)


@pytest.mark.parametrize("chroot", [True, False], ids=["root", "bind"])
@pytest.mark.parametrize("part", ["", "/sub"])
def test_a_tree_of_another_mount_namespace_is_told(host: Host, rootfs: str, place: str, chroot: bool, part: str) -> None:
    script = 'mount -t tmpfs none "$1"; cp -a "$2/." "$1"; mkdir "$1/sub"; cp -a "$2/." "$1/sub"; echo ready; exec sleep 60'
    other = host.start(*MOUNTS, script, "sh", place, rootfs)
    other.wait_for("ready")
    foreign = f"/proc/{other.pid}/root{place}{part}"
    words = ("--chroot", foreign) if chroot else ("--chroot", rootfs, "--bind", f"{foreign}:/tmp")
    ran = host.contained(*words, *SEVEN)
    other.signal("KILL")
    other.finished()
    refused(ran, f"{foreign} .*Invalid argument: it lies in another mount namespace.*\n.*hint: .*nsenter")


@pytest.mark.parametrize("chroot", [True, False], ids=["root", "bind"])
def test_a_tree_that_is_unbindable_is_told(host: Host, rootfs: str, place: str, chroot: bool) -> None:
    words = ("--chroot", place) if chroot else ("--chroot", rootfs, "--bind", f"{place}:/tmp")
    script = 'mount -t tmpfs none "$1"; cp -a "$2/." "$1"; mount --make-unbindable "$1"; shift 2; exec "$0" "$@"'
    ran = in_mounts(host, script, place, rootfs, *words, *SEVEN)
    refused(ran, f"{place} .*Invalid argument: its mount is unbindable\n.*hint: mount --make-private {place}")


@pytest.mark.parametrize("mode", ["700", "750", "711"])
def test_a_root_that_the_user_may_not_enter_is_told(host: Host, own_rootfs: str, mode: str) -> None:
    host.run("chmod", mode, own_rootfs)
    ran = host.contained("--chroot", own_rootfs, "--user", "1000", *SEVEN)
    if mode == "711":
        accepted(ran)
    else:
        refused(ran, f"cd /: Permission denied: .*/ has mode 0{mode} and belongs to user 0\n.*hint: chmod o.x {own_rootfs}")


def test_a_working_directory_that_the_user_may_not_enter_is_told(host: Host, own_rootfs: str) -> None:
    host.run("mkdir", "--mode", "700", f"{own_rootfs}/srv")
    ran = host.contained("--chroot", own_rootfs, "--user", "1000", "--workdir", "/srv", *SEVEN)
    refused(ran, "cd /srv: Permission denied: inside the rootfs /srv has mode 0700 and belongs to user 0")


def test_a_working_directory_that_is_not_there_is_one_inside(host: Host, own_rootfs: str) -> None:
    refused(
        host.contained("--chroot", own_rootfs, "--workdir", "/usr/lib", *SEVEN), "cd /usr/lib: .*\n.*hint: .*inside the rootfs"
    )
    host.run("ln", "-s", "nosuch", f"{own_rootfs}/srv")
    ran = host.contained("--chroot", own_rootfs, "--workdir", "/srv", *SEVEN)
    refused(ran, "cd /srv: .*: /srv is a symlink to nosuch, which is not there")


def test_an_empty_root_is_told(host: Host, place: str) -> None:
    for made in ((), ("proc", "dev")):
        for name in made:
            host.run("mkdir", f"{place}/{name}")
        for words in ((), ("--tmpfs", "/tmp")):
            ran = host.contained("--chroot", place, *words, "--", "sh")
            refused(ran, f"exec sh: not found inside the rootfs\n.*hint: the rootfs {place} is empty", 127)


def test_a_root_that_was_removed_is_told(host: Host, place: str) -> None:
    script = 'cd "$2"; rmdir "$2"; "$1" --chroot . -- sh; status=$?; mkdir "$2"; exit $status'
    refused(host.finish("sh", "-c", script, "sh", host.contain_path, place), "hint: the directory . has been removed", 127)


def test_a_path_of_the_host_for_a_program_is_told(host: Host, rootfs: str) -> None:
    ran = host.contained("--chroot", rootfs, "--", f"{rootfs}/bin/sh")
    refused(ran, "not found inside the rootfs\n.*hint: the path is one inside the rootfs: /bin/sh", 127)
    refused(host.contained("--chroot", rootfs, "--", "/usr/bin/nosuch"), "\n.*hint: the path is one inside", 127)
    refused(host.contained("--chroot", rootfs, "--", "nosuch"), "\n.*hint: it is searched on the PATH .* inside", 127)


@pytest.mark.parametrize("missing", ["here", "here/and/there"])
def test_a_root_that_is_not_there_is_told_from_where_on(host: Host, place: str, missing: str) -> None:
    deepest = f": already {place}/here$" if "/" in missing else "$"
    refused(host.contained("--chroot", f"{place}/{missing}", *SEVEN), f"rootfs {place}/{missing}: No such file or directory")
    ran = host.contained("--chroot", f"{place}/{missing}", *SEVEN)
    refused(ran, f"(?m)rootfs .*: No such file or directory{deepest}")


def test_a_root_in_which_nothing_may_be_made_is_told(host: Host, own_rootfs: str) -> None:
    host.run("rmdir", f"{own_rootfs}/proc")
    host.run("chattr", "+i", own_rootfs)
    try:
        ran = host.contained("--chroot", own_rootfs, *SEVEN)
    finally:
        host.run("chattr", "-i", own_rootfs)
    refused(ran, "mkdir .*proc.*Operation not permitted: not even root .*\n.*hint: .*chattr -i")


def test_a_kernel_that_executes_nothing_from_memory_is_told(host: Host, rootfs: str) -> None:
    """The setting is the pid namespace's own; kernels before 6.3 have none."""
    if host.finish("test", "-e", "/proc/sys/vm/memfd_noexec").status:
        return
    setting = 'echo "$1" > /proc/sys/vm/memfd_noexec; shift; exec "$@"'
    unshare = ("unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", setting, "sh")
    words = (host.contain_path, "--chroot", rootfs, *SEVEN)
    refused(host.finish(*unshare, "2", *words), "vm.memfd_noexec is 2.*\n.*hint: sysctl vm.memfd_noexec=1")
    for value in ("0", "1"):
        accepted(host.finish(*unshare, value, *words))


def test_a_bridge_is_found_by_its_other_name_or_told(host: Host, rootfs: str) -> None:
    long = "a-bridge-of-a-very-long-name"
    script = f"""
        ip link add br7 type bridge && ip link set br7 up
        ip link property add dev br7 altname otherbridge altname {long} && exec "$@"
    """
    unshare = ("unshare", "--net", "sh", "-ec", script, "sh", host.contain_path)
    words = ("--chroot", rootfs, "--network-address", "10.9.0.2/24", "--bridge")
    accepted(host.finish(*unshare, *words, "otherbridge", *SEVEN))
    refused(host.finish(*unshare, *words, long, *SEVEN), f"--bridge {long}: .*at most 15.*alternative.*ip link show")


def test_a_launcher_in_a_chroot_of_its_own_runs(host: Host, rootfs: str, place: str) -> None:
    """Its root is no mount point; chroot(2), without pivot_root(2)."""
    script = """
        cd "$1"; mkdir root; mkdir -p ".$3"; mount --rbind "$2" root; mount --rbind "$3" ".$3"
        for d in usr proc dev sys; do [ -d $d ] || mkdir $d; mount --rbind /$d $d; done
        for d in bin sbin lib lib64; do [ ! -e /$d ] || ln -s usr/$d $d; done
        exec chroot . "$0" --chroot /root --pids-limit max -- sh -c 'exit 7'
    """
    checkout = host.contain_path.removesuffix("/bin/contain")
    ran = in_mounts(host, script, place, rootfs, checkout)
    assert ran.status == 7, ran


def test_too_many_open_files_name_the_limit(host: Host, rootfs: str) -> None:
    ran = host.finish("sh", "-c", 'ulimit -n 6; exec "$@"', "sh", host.contain_path, "--chroot", rootfs, *SEVEN)
    refused(ran, "the limit of open files is 6.*\n.*hint: .*ulimit -n")


def test_the_root_of_a_user_namespace_is_told(host: Host, rootfs: str) -> None:
    ran = host.finish("unshare", "--map-root-user", "--mount", host.contain_path, "--chroot", rootfs, *SEVEN)
    refused(ran, "Operation not permitted.*: this is the root of a user namespace only\n.*hint: .*host's root")


def test_what_has_a_hint_keeps_it(host: Host, own_rootfs: str) -> None:
    host.put(f"{own_rootfs}/x", elf.dynamic("/ld.so"))
    refused(
        host.contained("--chroot", own_rootfs, "--", "/x"), "its loader /ld.so.*\n.*hint: copy the program's libraries", 127
    )
