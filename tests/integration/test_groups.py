"""The lock on a group: nobody else's lock refuses, delays or outlives a launch, and a sweep takes only what is ours."""

from collections.abc import Iterator

import pytest

from tests.integration.harness import cgroups
from tests.integration.harness.host import Host
from tests.integration.harness.judge import SEVEN, accepted
from tests.integration.harness.running import Shell

LIMITS = ("--memory-limit", "32MiB", "--cpu-core-ids", "0")
USERS = {"a user": "1000", "root": "0"}
LEFTOVER = "contain-4194305"  # no process has that number


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("kind", ["shared", "exclusive"])
@pytest.mark.parametrize(("moment", "stop"), [("made", "end"), ("made", "TERM"), ("removed", "end")])
def test_a_lock_on_a_group_holds_no_launch_up(host: Host, rootfs: str, user: str, kind: str, moment: str, stop: str) -> None:
    """Whoever locks it at the first moment at which it can be locked, or at the last."""
    words = ("--chroot", rootfs, *LIMITS)
    assert host.drive("locked_groups.py", USERS[user], kind, moment, stop, *words) == []


def test_a_group_is_closed_to_other_users(host: Host, shell: Shell) -> None:
    running = shell(*LIMITS)
    for controller in ("memory", "cpuset"):
        group = cgroups.of(running, controller)
        assert host.run("stat", "-c", "%u %a", group.folder).line == "0 700"


@pytest.fixture
def beside(host: Host, shell: Shell) -> Iterator[str]:
    """The folder in which a launch makes its group."""
    running = shell(*LIMITS)
    folder = cgroups.of(running, "memory").folder.rpartition("/")[0]
    yield folder
    running.close_stdin()
    running.finished()


NAMES = (
    "contain-",
    "contain-backup",
    "contain-1x",
    "contain-1.",
    "contain-.1",
    "contain-1.x",
    "contain-1.2.3",
    "contain",
    "xcontain-1",
)


def test_a_sweep_takes_only_groups_with_a_name_of_ours(host: Host, rootfs: str, beside: str) -> None:
    """An empty group that somebody made for later is his."""
    ours, others = (LEFTOVER, f"{LEFTOVER}.17"), [name for name in NAMES if name != "contain"]
    host.run("mkdir", *(f"{beside}/{name}" for name in (*ours, *others)))
    try:
        accepted(host.contained("--chroot", rootfs, *LIMITS, "--", *SEVEN))
        left = host.run("ls", beside).lines
        assert [name for name in ours if name in left] == []
        assert [name for name in others if name not in left] == []
    finally:
        host.finish("rmdir", *(f"{beside}/{name}" for name in (*ours, *others)))


@pytest.mark.parametrize("kind", ["--shared", "--exclusive"])
def test_a_leftover_that_somebody_locks_stays_and_delays_nobody(host: Host, rootfs: str, beside: str, kind: str) -> None:
    path = f"{beside}/{LEFTOVER}"
    host.run("mkdir", path)
    try:
        holder = host.start("flock", kind, path, "sh", "-c", "echo held; read end").wait_for("held")
        accepted(host.contained("--chroot", rootfs, *LIMITS, "--", *SEVEN, within=5))
        assert host.run("stat", "-c", "%F", path).line == "directory"
        holder.close_stdin()
        holder.finished()
        accepted(host.contained("--chroot", rootfs, *LIMITS, "--", *SEVEN))
        assert host.finish("stat", path).status != 0
    finally:
        host.finish("rmdir", path)


def test_a_group_that_somebody_moves_into_is_left_with_a_warning(host: Host, rootfs: str, shell: Shell) -> None:
    """The launcher does not wait until he has gone; the next start removes what he leaves."""
    running = shell(*LIMITS)
    group = cgroups.of(running, "memory")
    guest = host.start("sh", "-c", "echo there; read end").wait_for("there")
    host.shell('echo "$1" > "$2/cgroup.procs"', str(guest.pid), group.folder)
    running.write("exit 7\n")
    ended = running.finished(5)
    assert ended.status == 7
    assert "contain: warning: undo " in ended.errors
    assert "Device or resource busy" in ended.errors
    guest.close_stdin()
    guest.finished()
    accepted(host.contained("--chroot", rootfs, *LIMITS, "--", *SEVEN))
    assert host.finish("stat", group.folder).status != 0
