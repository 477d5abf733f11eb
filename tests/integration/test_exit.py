"""The exit status is the program's own; 125, 126 and 127 tell whose failure it was when there was none."""

import pytest

from tests.integration.harness.host import Host


def test_contains_own_failure_is_125(host: Host, rootfs: str) -> None:
    ran = host.contained("--chroot", rootfs, "--memory-limit", "nonsense", "--", "true")
    assert ran.status == 125
    assert ran.errors.startswith("contain: ")


def test_a_program_that_cannot_be_executed_is_126(host: Host, rootfs: str) -> None:
    ran = host.contained("--chroot", rootfs, "--", "/etc/image")
    assert ran.status == 126
    assert ran.errors.startswith("contain: ")


def test_a_program_that_is_not_there_is_127(host: Host, rootfs: str) -> None:
    ran = host.contained("--chroot", rootfs, "--", "no-such-program")
    assert ran.status == 127
    assert ran.errors.startswith("contain: ")


@pytest.mark.parametrize("status", [125, 126, 127, 255])
def test_a_program_may_use_these_statuses_itself_and_contain_says_nothing(host: Host, rootfs: str, status: int) -> None:
    ran = host.contained("--chroot", rootfs, "--", "sh", "-c", f"exit {status}")
    assert (ran.status, ran.errors) == (status, "")


def test_orphans_are_reaped_inside(host: Host, rootfs: str) -> None:
    """A process whose parent has gone belongs to the init, which collects it when it ends."""
    script = """
        i=0; while [ $i -lt 200 ]; do (true & ) ; i=$((i+1)); done
        for try in $(seq 100); do
            grep -l '^State:.Z' /proc/[0-9]*/status >/dev/null 2>&1 || { echo none; exit; }
            usleep 20000
        done
        echo zombies
    """
    assert host.contained("--chroot", rootfs, "--", "sh", "-c", script).succeeded().line == "none"
