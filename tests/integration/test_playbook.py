"""The playbook makes a machine ready, changes nothing the second time, and heals what a run that died has left half done."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.integration.harness import playbook
from tests.integration.harness.guest import BOOTED
from tests.integration.harness.host import Host

pytestmark = pytest.mark.guest

FIRST, SECOND = 90, 30  # seconds, on a machine that does nothing else
READY = """
    set -eux
    systemctl is-enabled --quiet systemd-networkd
    ip -4 -o address show dev br0 | grep -q 192.168.2.1/24
    ip -6 -o address show dev br0 | grep -q fd00:192:168:2::1/64
    test -x /srv/rootfs/busybox/bin/busybox
    test -x /srv/rootfs/debian/usr/bin/apt-get
    grep -q 'contain --chroot' /etc/motd.d/contain
    contain --chroot /srv/rootfs/busybox --memory-limit 64MB --cpu-core-ids 1,3 \
        --network-address 192.168.2.17/24 --bridge br0 -- ping -c 1 -w 20 192.168.2.1
"""


def ready(host: Host) -> None:
    """The bridge, the images and contain are there, each seen at its work."""
    host.shell(READY)


def run(host: Host, *options: str) -> playbook.Played:
    assert host.guest is not None
    return playbook.play(host.name, host.guest.ssh_config_path, *options)


def changes_nothing(host: Host) -> None:
    second = run(host).succeeded()
    assert (second.recap["changed"], second.recap["failed"]) == (0, 0), second.lines
    assert second.seconds <= SECOND
    ready(host)


def killed_in(host: Host, task: str) -> None:
    """A run whose end comes, from one moment to the next, in the middle of a task."""
    assert host.guest is not None
    with playbook.start(host.name, host.guest.ssh_config_path) as running:
        assert running.stdout is not None
        heard = []
        for line in running.stdout:
            heard.append(line)
            if line.startswith("TASK [") and task in line:
                os.killpg(running.pid, signal.SIGKILL)
        assert task in heard[-1] or task in heard[-2], heard


def test_the_first_run_makes_it_ready_in_time(host: Host) -> None:
    """The one before the tests; a guest that was kept has no first run any more."""
    assert host.provisioned is not None
    assert host.provisioned.recap["failed"] == 0
    assert host.provisioned.seconds <= FIRST
    ready(host)


def test_a_second_run_changes_nothing_and_all_is_there(host: Host) -> None:
    changes_nothing(host)


@pytest.fixture
def unprovisioned(host: Host) -> Iterator[Host]:
    """The guest as it was before its first playbook."""
    host.restore(BOOTED)
    yield host
    host.restore()


@pytest.mark.slow
def test_runs_that_died_half_way_are_healed_by_the_next(unprovisioned: Host) -> None:
    """One is killed with the bridge described and not set up, one fails with contain installed and not in its place."""
    host = unprovisioned
    killed_in(host, "Set up the bridge")
    host.run("mkdir", "-p", "/etc/motd.d/contain")  # in the way of a file that is written last but one
    failed = run(host)
    assert failed.recap["failed"] == 1, failed.lines
    host.run("rmdir", "/etc/motd.d/contain")
    began = time.monotonic()
    run(host).succeeded()
    assert time.monotonic() - began <= FIRST
    changes_nothing(host)
