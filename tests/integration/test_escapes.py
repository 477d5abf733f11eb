"""A hostile root: it can neither make the host's programs run nor have anything of the host's mounted over."""

from collections.abc import Iterator

import pytest

from tests.integration.harness import images
from tests.integration.harness.host import Host
from tests.integration.harness.judge import SEVEN, accepted, refused

# Where something is mounted in the root, its program can't be judged before the launch: the kernel alone refuses it.
MOUNTS = pytest.mark.parametrize("mounts", [(), ("--tmpfs", "/tmp")], ids=["judged", "executed"])
WAY_OUT = """
import os
os.mkdir("/tmp/jail")
os.chroot("/tmp/jail")
for _ in range(64):
    os.chdir("..")
os.chroot(".")
print(*os.listdir("/"))
"""
LOADERS = ("lib64/ld-linux-x86-64.so.2", "lib/ld-linux-aarch64.so.1")


@pytest.fixture
def trap(host: Host, own_rootfs: str) -> str:
    """A root in which any dynamic program of the host's, were it started there, would run a loader of the root's."""
    for path in LOADERS:
        host.shell('mkdir -p "$(dirname "$1")" && cp "$2" "$1"', f"{own_rootfs}/{path}", f"{own_rootfs}/bin/busybox")
    return own_rootfs


@pytest.mark.row("B89")
@pytest.mark.parametrize("target", ["/proc/self/exe", "/proc/1/exe", "/proc/thread-self/exe", "../proc/self/exe"])
@MOUNTS
def test_a_link_to_the_launchers_own_program_does_not_run(host: Host, trap: str, target: str, mounts: tuple[str, ...]) -> None:
    host.shell('rm "$1/bin/sh"; ln -s "$2" "$1/bin/sh"', trap, target)
    refused(host.contained("--chroot", trap, *mounts, "--", "/bin/sh", "-c", "echo ran"), "/bin/sh", 126, 127)


@pytest.mark.row("B89")
@pytest.mark.parametrize("target", ["/proc/self/exe", "/proc/1/exe"])
@MOUNTS
def test_an_interpreter_line_with_the_launchers_own_program_does_not_run(
    host: Host, trap: str, target: str, mounts: tuple[str, ...]
) -> None:
    host.put(f"{trap}/bin/script", f"#!{target}\nprint('ran')\n")
    refused(host.contained("--chroot", trap, *mounts, "--", "script"), "script", 126, 127)


@pytest.mark.row("B89")
@MOUNTS
def test_the_launchers_own_program_by_name_does_not_run(host: Host, trap: str, mounts: tuple[str, ...]) -> None:
    ran = host.contained("--chroot", trap, *mounts, "--", "/proc/self/exe", "-c", "print('ran')")
    refused(ran, "/proc/self/exe", 126, 127)


def test_the_hosts_interpreter_is_out_of_reach_from_inside(host: Host, rootfs: str) -> None:
    """No link in /proc of the init or the program leads to a file of the host's."""
    script = "for pid in 1 $$; do for link in exe cwd root; do readlink /proc/$pid/$link; done; done 2>/dev/null; :"
    ran = host.contained("--chroot", rootfs, "--", "sh", "-c", script).succeeded()
    assert set(ran.lines) <= {"/", "/bin/busybox"}


@pytest.mark.parametrize("option", ["--bind", "--tmpfs", "--workdir"])
def test_a_link_that_leads_out_is_not_followed(host: Host, own_rootfs: str, option: str) -> None:
    """The place named inside is a link to a folder of the host's: the root's own tree may hold it, the host's never."""
    outside, source = host.new("outside"), host.new("source")
    host.shell('mkdir "$2" "$3"; echo host > "$2/word"; ln -s "$2" "$1/place"', own_rootfs, outside, source)
    value = {"--bind": f"{source}:/place", "--tmpfs": "/place", "--workdir": "/place"}[option]
    ran = host.contained("--chroot", own_rootfs, option, value, "--", "sh", "-c", "cat word /place/word; exit 7")
    assert b"host" not in ran.stdout
    assert host.run("cat", f"{outside}/word").line == "host"
    assert ran.status == 125, ran


@pytest.mark.parametrize("place", ["/../../outside", "/place/../../outside"])
def test_dots_do_not_lead_out(host: Host, own_rootfs: str, place: str) -> None:
    outside = f"{host.folder}/outside"
    host.shell('mkdir -p "$1"; echo host > "$1/word"', outside)
    ran = host.contained("--chroot", own_rootfs, "--tmpfs", place, "--", *SEVEN)
    assert ran.status in (7, 125)
    assert host.run("cat", f"{outside}/word").line == "host"


def test_a_chroot_inside_does_not_lead_out(host: Host, host_tree: tuple[str, ...]) -> None:
    """The old way out, for who may call chroot(2): a second one, then dots from a folder outside of it."""
    bare = {"bin", "dev", "etc", "lib", "lib64", "proc", "sbin", "tmp", "usr"}
    ran = host.contained(*host_tree, "--tmpfs", "/tmp", "--", "/usr/bin/python3", "-IS", "-c", WAY_OUT).succeeded()
    assert set(ran.text.split()) <= bare, "this is the root it began in"


@pytest.fixture
def reached(host: Host, busybox: str) -> Iterator[str]:
    """A folder that every user of the host can reach, where set-user-ID files work: with `root`, `data` and `file`."""
    path = "/var/tmp/contain-within-reach"
    host.run("mkdir", "-m", "755", path)
    images.make(host, f"{path}/root", busybox)
    host.run("mkdir", "-m", "700", f"{path}/root/mnt", f"{path}/data")
    host.put(f"{path}/file", "", 0o600)
    yield path
    host.remove(path)


WITHIN_REACH = {
    "": "rootfs",
    "--user 0:5": "rootfs",
    "--user 1000 --allow-setuid": "rootfs",
    "--read-only --bind data:/mnt": "--bind",
    "--read-only --bind file:/etc/image": "--bind",
    "--read-only": "",
    "--user 1000": "",
    "--read-only --bind data:/mnt:ro": "",
    "--user 1000 --bind data:/mnt": "",
    "--quiet": "",
}


@pytest.mark.parametrize(("options", "what"), WITHIN_REACH.items(), ids=WITHIN_REACH)
def test_a_warning_tells_where_the_hosts_users_could_run_set_user_id_files(
    host: Host, reached: str, options: str, what: str
) -> None:
    ran = host.contained("--chroot", "root", *options.split(), "--", *SEVEN, cwd=reached)
    accepted(ran, what and f"{what} .*set-user-ID")


@pytest.mark.parametrize("way", ["mode of the root", "folder above", "nosuid", "the host's root", "its copy"])
def test_no_warning_where_they_could_not(host: Host, reached: str, way: str) -> None:
    """But the mode of the root itself keeps nobody out for long: the program may change it."""
    root, before = f"{reached}/root", ":"
    match way:
        case "mode of the root":
            host.run("chmod", "700", root)
        case "folder above":
            host.run("chmod", "750", reached)
        case "nosuid":
            before = f"mount --bind {reached} {reached} && mount -o remount,bind,nosuid {reached}"
        case "the host's root":
            root = "/."
        case "its copy":
            before, root = f"mount --bind / {reached}/data", f"{reached}/data"
    words = ("unshare", "--mount", "--propagation", "private", "sh", "-c", f'{before} && exec "$@"', "sh")
    ran = host.finish(*words, host.contain_path, "--chroot", root, "--", *SEVEN)
    accepted(ran, "set-user-ID" if way == "mode of the root" else "")
