"""`contain explain` explains before everything is there: what is missing is a marked line, and the status says so."""

import re

import pytest

from tests.integration.harness.host import Host
from tests.integration.harness.judge import refused
from tests.integration.harness.running import Finished

pytestmark = pytest.mark.anywhere

ADDRESS = ("--network-address", "10.9.0.2/24", "--bridge", "nosuch0")


def explained(ran: Finished, *marks: str) -> None:
    """The whole recipe was told, with these marks in it, each told on stderr as well; status 125."""
    assert ran.status == 125, ran
    lines = ran.lines
    assert "pivot_root . . && umount --lazy . && cd /" in lines, ran
    assert lines[-1].startswith("exec env -i PATH="), ran
    missing = [line for line in lines if line.startswith("# missing: ")]
    said = ran.errors.splitlines()
    assert len(missing) == len(marks), ran
    for mark in marks:
        assert [line for line in missing if re.search(mark, line)], ran
        assert [line for line in said if line.startswith("contain: ") and re.search(mark, line)], ran
    assert all(line.startswith("contain: ") for line in said), ran


@pytest.mark.parametrize("word", [("explain",), ("--dry-run",)])
def test_a_missing_root_is_marked(host: Host, word: tuple[str, ...]) -> None:
    ran = host.contained(
        *word, "--chroot", "/srv/nosuch", "--memory-limit", "64MB", "--tmpfs", "/tmp", "--", "sh", "-c", "exit 7"
    )
    explained(ran, "rootfs /srv/nosuch: No such file or directory")
    assert "mkdir /srv/nosuch/proc  # removed at the end" in ran.lines
    before = ran.lines.index(next(line for line in ran.lines if line.startswith("# missing")))
    assert "/srv/nosuch NEWROOT" in ran.lines[before + 1]
    assert ran.lines[-1].endswith(" sh -c 'exit 7'")


def test_a_root_that_is_a_file_is_marked(host: Host) -> None:
    explained(host.contained("explain", "--chroot", "/etc/passwd", "--", "sh"), "rootfs /etc/passwd: Not a directory")


@pytest.mark.parametrize("limit", [(), ("--memory-limit", "8MB")])
def test_a_missing_bridge_is_marked(host: Host, rootfs: str, limit: tuple[str, ...]) -> None:
    ran = host.contained("explain", "--chroot", rootfs, *ADDRESS, *limit, "--", "sh")
    explained(ran, "bridge nosuch0: the bridge does not exist")
    assert [line for line in ran.lines if line.startswith("ip link add ct$$ ") and " master nosuch0 " in line]
    assert "contain: hint: ip link add nosuch0 " in ran.errors


def test_all_that_is_missing_is_marked_at_once(host: Host, rootfs: str) -> None:
    binds = ("--bind", "/nosuch/a:/tmp", "--bind", "/nosuch/b:/root", "--cgroup-parent", "/nosuch-group")
    ran = host.contained("explain", "--chroot", rootfs, *ADDRESS, *binds, "--", "sh")
    wanted = ("bridge nosuch0", "--bind /nosuch/a", "--bind /nosuch/b", "--cgroup-parent /nosuch-group: no such group")
    explained(ran, *wanted)
    explained(host.contained("explain", "--chroot", "/nosuch", *ADDRESS, "--", "sh"), "rootfs /nosuch", "bridge nosuch0")


@pytest.mark.parametrize("program", ["nosuch", "/etc/image"])
def test_a_missing_program_is_marked_where_it_would_be_executed(host: Host, rootfs: str, program: str) -> None:
    """Whatever its status in a launch: to explain has failed."""
    ran = host.contained("explain", "--chroot", rootfs, "--", program)
    explained(ran, f"exec {program}: ")
    assert ran.lines[-2].startswith("# missing: exec")


def test_a_place_that_is_no_place_is_marked(host: Host, own_rootfs: str) -> None:
    host.run("rmdir", f"{own_rootfs}/proc")
    host.run("ln", "-s", "/tmp", f"{own_rootfs}/proc")
    ran = host.contained("explain", "--chroot", own_rootfs, "--tmpfs", "/no/such/place", "--", "sh")
    explained(ran, "/proc: it is a symlink", "/no/such/place: No such file or directory")


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (("--chroot", "/nosuch"), "no program is named"),
        (("--", "sh"), "no rootfs is named"),
        (("--chroot", "/nosuch", "--memory-limit", "0", "--", "sh"), "memory limit"),
        (("--chroot", "/nosuch", "--bridge", "nosuch0", "--", "sh"), "requires --network-address"),
        (("--chroot", "/nosuch", "--tmpfs", "/proc", "--", "sh"), "contain's own"),
        (("--chroot", "/nosuch", "--env", "NOSUCH", "--", "sh"), "no such variable"),
    ],
)
def test_words_that_mean_nothing_are_refused_all_the_same(host: Host, words: tuple[str, ...], pattern: str) -> None:
    refused(host.contained("explain", *words), pattern)


def test_a_launch_is_refused_for_the_first_of_it(host: Host, rootfs: str) -> None:
    ran = host.contained("--chroot", rootfs, *ADDRESS, "--bind", "/nosuch/a:/tmp", "--", "sh")
    refused(ran, "--bind /nosuch/a: No such file or directory")


def test_to_somebody_who_is_not_root_it_is_marked_as_well(host: Host, public_contain: str) -> None:
    nobody = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    ran = host.finish(*nobody, public_contain, "explain", "--chroot", "/nosuch", *ADDRESS, "--", "sh")
    explained(ran, "rootfs /nosuch: No such file or directory", "bridge nosuch0: the bridge does not exist")
