"""When something breaks in the middle: nothing lives on, nothing hangs, and the next start sweeps what is left."""

import signal

import pytest

from tests.integration.harness import cgroups
from tests.integration.harness.bridge import Bridge
from tests.integration.harness.host import Host
from tests.integration.harness.judge import SEVEN, accepted, refused
from tests.integration.harness.running import Shell

LIMITS = ("--memory-limit", "32MiB", "--cpu-core-ids", "0")
GONE = "for pid in $1; do [ ! -e /proc/$pid ] || grep -q '^State:.Z' /proc/$pid/status || exit 1; done"


def family(host: Host, pid: int) -> str:
    """The processes below a launcher: its init and its program."""
    found = host.run("cat", f"/proc/{pid}/task/{pid}/children").text.split()
    assert len(found) >= 2, "an init and a program"
    return " ".join(found)


def test_killing_the_launcher_ends_everything_within_a_second(host: Host, rootfs: str, shell: Shell, bridge: Bridge) -> None:
    address = f"{bridge.next()}/24"
    words = (*LIMITS, "--bridge", bridge.name, "--network-address", address)
    running = shell(*words)
    inside = family(host, running.pid)
    running.signal("KILL")
    host.until(GONE, inside, within=1)
    assert running.exit_status == -signal.SIGKILL
    host.until('[ -z "$(ls /sys/class/net/$1/brif)" ]', bridge.name, within=2)
    accepted(host.contained("--chroot", rootfs, *words, "--", *SEVEN))


@pytest.mark.slow
def test_killing_the_launcher_at_any_moment_leaves_nothing_alive(host: Host, rootfs: str, bridge: Bridge) -> None:
    """Many moments of a launch; what the kernel doesn't sweep, the next start does."""
    address = f"{bridge.next()}/24"
    words = (*LIMITS, "--bridge", bridge.name, "--network-address", address)
    assert host.drive("kills.py", rootfs, str(host.rounds(40)), *words) == []


def test_a_running_neighbour_is_not_swept(host: Host, rootfs: str, shell: Shell) -> None:
    """What a start sweeps belongs to nobody: a living launch keeps its groups."""
    neighbour = shell(*LIMITS)
    for _ in range(3):
        accepted(host.contained("--chroot", rootfs, *LIMITS, "--", *SEVEN))
    assert neighbour.succeed("echo here") == "here\n"
    neighbour.close_stdin()
    assert neighbour.finished(5).stderr == b""


def test_killing_the_init_ends_the_program_and_the_launcher(host: Host, shell: Shell) -> None:
    running = shell(*LIMITS)
    inside = family(host, running.pid)
    host.run("kill", "-KILL", inside.split()[0])
    host.until(GONE, inside, within=1)
    assert running.finished(5).status in (-signal.SIGKILL, 125)


def test_a_bridge_that_goes_away_does_not_disturb_the_program(host: Host, shell: Shell) -> None:
    bridge = Bridge(host, "containtest4", "10.80.0", "fd80").make()
    running = shell("--bridge", bridge.name, "--network-address", "10.80.0.9/24")
    bridge.remove()
    running.write("exit 7\n")
    assert (running.exit_status, running.stderr) == (7, b"")


def test_an_interface_that_goes_away_does_not_disturb_the_program(host: Host, shell: Shell, bridge: Bridge) -> None:
    running = shell("--bridge", bridge.name, "--network-address", f"{bridge.next()}/24")
    (port,) = bridge.ports
    host.run("ip", "link", "delete", port)
    running.write("exit 7\n")
    assert (running.exit_status, running.stderr) == (7, b"")


def test_a_root_that_goes_away_does_not_disturb_the_launcher(host: Host, own_rootfs: str, shell: Shell) -> None:
    running = shell(root=own_rootfs)
    host.run("rm", "-r", f"{own_rootfs}/bin", f"{own_rootfs}/etc")
    running.write("exit 7\n")
    assert (running.exit_status, running.stderr) == (7, b"")


@pytest.mark.parametrize("limit", ["-n 8", "-n 4", "-v 20000", "-s 64"])
def test_too_little_of_something_is_told_and_leaves_nothing(host: Host, rootfs: str, limit: str) -> None:
    script = f'ulimit {limit}; exec "$@"'
    ran = host.finish("sh", "-c", script, "sh", host.contain_path, "--chroot", rootfs, *LIMITS, "--", *SEVEN)
    assert ran.status in (7, 125) or b"error while loading" in ran.stderr or ran.status == -signal.SIGSEGV, ran
    assert b"Traceback" not in ran.stderr
    if ran.status == 125:
        assert ran.stderr.startswith(b"contain: ")


@pytest.mark.parametrize("stream", ["2>&-", "2>/dev/full"])
def test_a_message_that_cannot_be_written_changes_no_status(host: Host, stream: str) -> None:
    script = f'"$@" {stream}'
    assert host.finish("sh", "-c", script, "sh", host.contain_path, "--chroot", "/nonexistent", "--", "x").status == 125


def test_a_caller_that_may_not_fork_is_told(host: Host, rootfs: str) -> None:
    """In a group that may hold one process only."""
    with cgroups.made(host, "pids") as group:
        group.set("pids.max", "1")
        words = ("--chroot", rootfs, *LIMITS, "--", *SEVEN)
        refused(
            host.finish("sh", "-c", f'{group.enter} && exec "$@"', "sh", host.contain_path, *words),
            "Resource temporarily unavailable",
        )
