"""After a reboot in the middle of work: what the playbook set up stands again, and contain has kept nothing of before."""

import pytest

from tests.integration.harness import cgroups
from tests.integration.harness.host import Host

pytestmark = [pytest.mark.guest, pytest.mark.slow]

ROOT = "/srv/rootfs/busybox"
ADDRESS = "192.168.2.50/24"
FOUR = ("--chroot", ROOT, "--memory-limit", "32MiB", "--cpu-core-ids", "1,3", "--network-address", ADDRESS, "--bridge", "br0")
BOOT = ("cat", "/proc/sys/kernel/random/boot_id")
SEEN = "sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status; ip -4 -o address show eth0 | sed 's/.*inet //; s/ .*//'"


@pytest.fixture(scope="module", autouse=True)
def rebooted(host: Host) -> None:
    """Work is going on when the host goes down, and a killed launcher has left its groups to the next start."""
    host.clean()  # before, not after: else a dirty guest would be put back to where it was before the reboot
    host.contain(*FOUR, "--", "sh", "-c", "echo on; exec sleep 987654").wait_for("on")
    killed = host.contain("--chroot", ROOT, "--memory-limit", "32MiB", "--", "sh", "-c", "echo on; cat").wait_for("on")
    killed.signal("KILL")
    killed.finished()
    before = host.run(*BOOT).line
    host.reboot()
    assert host.run(*BOOT).line != before, f"{host} was not rebooted"


def test_nothing_of_before_is_left(host: Host) -> None:
    assert host.contained("gc").succeeded().lines == []
    assert host.run("find", "/sys/fs/cgroup", "-type", "d", "-name", "contain*").lines == []
    assert host.run("ls", "/sys/class/net/br0/brif").lines == []
    assert host.finish("sh", "-c", "grep -s '[s]leep.987654' /proc/[0-9]*/cmdline").stdout == b""


def test_the_bridge_is_there_again(host: Host) -> None:
    assert " 192.168.2.1/24 " in host.run("ip", "-4", "-o", "address", "show", "dev", "br0").line


def test_contain_runs_with_all_four_constraints_and_the_address_of_before(host: Host) -> None:
    running = host.contain(*FOUR, "--", "sh")
    assert running.succeed(SEEN).split() == ["1,3", ADDRESS]
    running.succeed("ping -c 1 -w 5 192.168.2.1")
    assert cgroups.of(running, "memory").number("memory.limit_in_bytes", "memory.max") == 32 << 20
    running.fail("ls /srv")
    running.write("exec dd if=/dev/zero of=/dev/null bs=64M count=1\n")
    assert running.exit_status == -9
    assert "contain: killed: memory limit 32 MiB reached" in running.stderr.decode()
