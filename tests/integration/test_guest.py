"""What the inventory promises of a guest is so."""

import pytest

from tests.integration.harness.host import Host

pytestmark = pytest.mark.guest


def test_its_groups_tell_its_cgroups(host: Host) -> None:
    """The controllers are where the group says, by the mounts."""
    mounted = [line.split() for line in host.run("cat", "/proc/self/mounts").lines]
    v1 = {word for mount in mounted if mount[2] == "cgroup" for word in mount[3].split(",")}
    v2 = [mount[1] for mount in mounted if mount[2] == "cgroup2"]
    assert ("cgroup_v1" in host.groups) == ({"memory", "cpuset", "pids"} <= v1)
    assert ("cgroup_v2" in host.groups) == (v2 == ["/sys/fs/cgroup"])
    assert ("cgroup_hybrid" in host.groups) == (v2 == ["/sys/fs/cgroup/unified"])


def test_it_has_more_cores_than_a_cpuset_needs(host: Host) -> None:
    assert host.cores == 4


def test_its_greeting_tells_the_two_commands_of_the_demo(host: Host) -> None:
    greeting = host.facts.file("/etc/motd.d/contain").content_string
    commands = [line.strip() for line in greeting.splitlines() if "--network-address" in line]
    assert len(commands) == 2
    assert all(command.startswith("sudo contain --chroot /srv/rootfs/busybox ") for command in commands)


def test_the_bridge_survives_because_the_network_service_keeps_it(host: Host) -> None:
    service = host.facts.service("systemd-networkd")
    assert service.is_enabled
    assert service.is_running
    assert "192.168.2.1" in host.facts.interface("br0").addresses
