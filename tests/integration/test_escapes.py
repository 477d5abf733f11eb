"""A hostile root: it can neither make the host's programs run nor have anything of the host's mounted over."""

import pytest

from tests.integration.harness.host import Host
from tests.integration.harness.judge import SEVEN, refused

LOADERS = ("lib64/ld-linux-x86-64.so.2", "lib/ld-linux-aarch64.so.1")


@pytest.fixture
def trap(host: Host, own_rootfs: str) -> str:
    """A root in which any dynamic program of the host's, were it started there, would run a loader of the root's."""
    for path in LOADERS:
        host.shell('mkdir -p "$(dirname "$1")" && cp "$2" "$1"', f"{own_rootfs}/{path}", f"{own_rootfs}/bin/busybox")
    return own_rootfs


@pytest.mark.row("B89")
@pytest.mark.parametrize("target", ["/proc/self/exe", "/proc/1/exe", "/proc/thread-self/exe", "../proc/self/exe"])
def test_a_link_to_the_launchers_own_program_does_not_run(host: Host, trap: str, target: str) -> None:
    host.shell('rm "$1/bin/sh"; ln -s "$2" "$1/bin/sh"', trap, target)
    refused(host.contained("--chroot", trap, "--", "/bin/sh", "-c", "echo ran"), "/bin/sh", 126, 127)


@pytest.mark.row("B89")
@pytest.mark.parametrize("target", ["/proc/self/exe", "/proc/1/exe"])
def test_an_interpreter_line_with_the_launchers_own_program_does_not_run(host: Host, trap: str, target: str) -> None:
    host.put(f"{trap}/bin/script", f"#!{target}\nprint('ran')\n")
    refused(host.contained("--chroot", trap, "--", "script"), "script", 126, 127)


@pytest.mark.row("B89")
def test_the_launchers_own_program_by_name_does_not_run(host: Host, trap: str) -> None:
    refused(host.contained("--chroot", trap, "--", "/proc/self/exe", "-c", "print('ran')"), "/proc/self/exe", 126, 127)


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


def test_chroot_inside_a_chroot_stays_inside(host: Host, rootfs: str) -> None:
    """The old way out: a second chroot, then dots from a folder outside of it."""
    script = "cd /; mkdir -p /tmp/jail; chroot /tmp/jail /bin/sh -c : 2>/dev/null; cd ../../../..; ls -d etc/image"
    assert host.contained("--chroot", rootfs, "--tmpfs", "/tmp", "--", "sh", "-c", script).succeeded().line == "etc/image"
