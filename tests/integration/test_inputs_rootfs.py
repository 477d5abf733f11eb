"""Odd roots: what cannot be one is refused by name, what can is used wherever it lies, and no link in it leads out."""

from collections.abc import Callable

import pytest

from tests.integration.harness import images
from tests.integration.harness.host import Host
from tests.integration.harness.judge import SEVEN, accepted, refused

pytestmark = pytest.mark.anywhere

Mounted = Callable[..., str]


@pytest.mark.row("B65")
def test_a_root_that_is_not_there_is_refused(host: Host) -> None:
    refused(host.contained("--chroot", "/nonexistent", "--", *SEVEN), "rootfs.*(no such|not exist)")


@pytest.mark.row("B66")
def test_a_file_is_no_root(host: Host, rootfs: str) -> None:
    refused(host.contained("--chroot", f"{rootfs}/etc/image", "--", *SEVEN), "not a directory")


@pytest.mark.row("B67")
def test_an_empty_root_has_no_program(host: Host) -> None:
    root = host.new("empty")
    host.run("mkdir", root)
    refused(host.contained("--chroot", root, "--", "/bin/sh"), "/bin/sh.*(no such|not found).*(rootfs|inside)", 127)
    assert host.run("ls", "-A", root).text == "", "what contain made there is gone again"


@pytest.mark.row("B68")
def test_the_hosts_own_tree_can_be_the_root(host: Host) -> None:
    accepted(host.contained("--chroot", "/", "--quiet", "--", *SEVEN))


@pytest.mark.row("B69")
@pytest.mark.parametrize("name", ["rootfs", "rootfs///", "./rootfs/../rootfs", "/link", "./link/"])
def test_every_way_to_name_a_folder_is_taken(host: Host, rootfs: str, name: str) -> None:
    link = f"{host.folder}/link"
    host.run("ln", "-sfn", rootfs, link)
    path = link if name == "/link" else name
    accepted(host.contained("--chroot", path, "--", *SEVEN, cwd=host.folder))


@pytest.mark.row("B70")
@pytest.mark.parametrize("odd", ["a b", "a\tb", "a\nb", "a\\b", "a'b\"c", b"a\xffb", "$(id)", "a:b"])
def test_every_byte_may_stand_in_its_name(host: Host, own_rootfs: str, odd: str | bytes) -> None:
    raw = odd if isinstance(odd, bytes) else odd.encode()
    path = host.new("").encode() + raw
    host.run("mv", own_rootfs, path)
    accepted(host.contained("--chroot", path, "--", *SEVEN))
    host.run("mv", path, own_rootfs)


@pytest.mark.row("B71")
def test_a_path_that_is_too_long_is_refused(host: Host) -> None:
    refused(host.contained("--chroot", "/x" * 2050, "--", *SEVEN), "(path|name) too long")


@pytest.mark.row("B72")
@pytest.mark.parametrize("target", ["/etc", "../etc", "/nowhere"])
def test_a_link_at_proc_is_refused(host: Host, own_rootfs: str, target: str) -> None:
    host.shell('rmdir "$1/proc" && ln -s "$2" "$1/proc"', own_rootfs, target)
    refused(host.contained("--chroot", own_rootfs, "--", *SEVEN), "/proc.*sym.*link")


@pytest.mark.row("B73")
def test_a_link_at_dev_is_refused_and_its_target_unharmed(host: Host, own_rootfs: str) -> None:
    decoy = host.new("decoy")
    host.shell('mkdir "$2" && touch "$2/ptmx" && rmdir "$1/dev" && ln -s "$2" "$1/dev"', own_rootfs, decoy)
    refused(host.contained("--chroot", own_rootfs, "--", *SEVEN), "/dev.*sym.*link")
    assert host.run("ls", decoy).line == "ptmx"


@pytest.mark.row("B74")
def test_links_for_devices_in_the_root_are_not_used(host: Host, own_rootfs: str) -> None:
    host.shell('mkdir "$1/dev/pts"; ln -s /proc/kmsg "$1/dev/null"; ln -s / "$1/dev/pts/0"', own_rootfs)
    script = '[ "$(stat -c %t:%T /dev/null)" = 1:3 ] && [ ! -e /dev/pts/0 ] && exit 7'
    accepted(host.contained("--chroot", own_rootfs, "--", "sh", "-c", script))


@pytest.mark.row("B75")
def test_nothing_is_written_through_a_link_that_leads_out(host: Host, own_rootfs: str) -> None:
    outside = host.new("outside")
    host.put(outside, "as it was")
    host.shell('for name in resolv.conf hosts hostname; do ln -s "$2" "$1/etc/$name"; done', own_rootfs, outside)
    accepted(host.contained("--chroot", own_rootfs, "--hostname", "box", "--", *SEVEN))
    assert host.run("cat", outside).text == "as it was"


@pytest.mark.row("B76")
def test_a_root_without_proc_and_dev_gets_them_for_the_time(host: Host, own_rootfs: str) -> None:
    host.run("rmdir", f"{own_rootfs}/proc", f"{own_rootfs}/dev")
    script = "[ -e /proc/self ] && [ -c /dev/null ] && exit 7"
    accepted(host.contained("--chroot", own_rootfs, "--", "sh", "-c", script))
    assert host.run("ls", own_rootfs).lines == ["bin", "etc", "root", "tmp"]


@pytest.mark.row("B77")
def test_a_sealed_root_without_proc_is_refused(host: Host, own_rootfs: str, mounted: Mounted) -> None:
    host.run("rmdir", f"{own_rootfs}/proc")
    sealed = mounted("bind", "ro", own_rootfs)
    refused(host.contained("--chroot", sealed, "--", *SEVEN), "/proc.*(read-only|missing)")


@pytest.mark.row("B78")
def test_a_root_on_noexec_is_named_so(host: Host, busybox: str, mounted: Mounted) -> None:
    root = images.make(host, f"{mounted('tmpfs', 'noexec')}/root", busybox)
    refused(host.contained("--chroot", root, "--", *SEVEN), "noexec", 126)


@pytest.mark.row("B79")
@pytest.mark.parametrize("options", ["", "nosuid", "nodev,nosuid,noatime"])
def test_a_root_on_a_tmpfs_is_taken(host: Host, busybox: str, mounted: Mounted, options: str) -> None:
    root = images.make(host, f"{mounted('tmpfs', options)}/root", busybox)
    accepted(host.contained("--chroot", root, "--", *SEVEN))


@pytest.mark.row("B80")
@pytest.mark.parametrize("deed", ["chmod 777", "chown 1234"])
def test_a_root_that_others_can_change_is_a_warning(host: Host, busybox: str, mounted: Mounted, deed: str) -> None:
    top = mounted("tmpfs", "mode=755")  # a folder of root's alone on the way would keep the others out
    root = images.make(host, f"{top}/root", busybox)
    host.run("chmod", "711", host.folder)
    host.run(*deed.split(), root)
    accepted(host.contained("--chroot", root, "--", *SEVEN), "(writable|owner|owned)")


@pytest.mark.row("B80")
def test_a_root_that_others_cannot_read_is_taken(host: Host, own_rootfs: str) -> None:
    host.run("chmod", "700", own_rootfs)
    accepted(host.contained("--chroot", own_rootfs, "--", *SEVEN))
