"""A bug of the launcher's own is told in one line, ends in 125 and lets no program run: in every process, at every step."""

import pytest

from tests.integration.harness.bridge import Bridge
from tests.integration.harness.host import Host

EVERYTHING = ("--memory-limit", "64M", "--cpu-core-ids", "0", "--hostname", "bug", "--tmpfs", "/tmp", "--user", "1", "--quiet")
PROGRAM = ("--", "sh", "-c", "echo ran; sleep PAUSE; exit 7")


def words(rootfs: str, bridge: Bridge, *more: str) -> tuple[str, ...]:
    network = ("--network-address", f"{bridge.next()}/24", "--bridge", bridge.name)
    return ("--chroot", rootfs, *EVERYTHING, *network, *more, *PROGRAM)


@pytest.mark.parametrize("terminal", [(), ("--tty",)], ids=["", "tty"])
def test_no_bug_is_silent_and_none_lets_the_program_run(
    host: Host, rootfs: str, bridge: Bridge, terminal: tuple[str, ...]
) -> None:
    assert host.drive("bugs.py", "1", *words(rootfs, bridge, *terminal), within=300) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("terminal", [(), ("--tty",)], ids=["", "tty"])
def test_no_bug_of_any_class(host: Host, rootfs: str, bridge: Bridge, terminal: tuple[str, ...]) -> None:
    assert host.drive("bugs.py", "4", *words(rootfs, bridge, *terminal), within=1200) == []


def test_the_end_of_a_child_is_never_taken_for_the_programs_start(host: Host, own_rootfs: str, bridge: Bridge) -> None:
    network = ("--network-address", f"{bridge.next()}/24", "--bridge", bridge.name)
    assert host.drive("unborn.py", own_rootfs, str(host.rounds(60)), "--cpu-core-ids", "0", *network) == []
