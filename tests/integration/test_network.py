"""--network-address: a network of its own with that address on the bridge; without it, loopback only."""

import re

import pytest

from tests.integration.harness.bridge import Bridge, Neighbour, Talker
from tests.integration.harness.host import Host
from tests.integration.harness.running import MissedError, Shell

Pair = tuple[Neighbour, Neighbour]


def test_two_contained_programs_ping_each_other(pair: Pair) -> None:
    one, other = pair
    one.succeed(f"ping -c 1 -w 5 {other.address}")
    other.succeed(f"ping -c 1 -w 5 {one.address}")


def test_two_contained_programs_talk_tcp_both_ways(pair: Pair) -> None:
    for server, client in (pair, pair[::-1]):
        server.succeed("nc -l -p 7 < /etc/image > /dev/null &")
        heard = client.succeed(f"(for i in $(seq 50); do nc {server.address} 7 && exit; usleep 100000; done; exit 1)")
        assert heard.splitlines()[-1] == "contained"


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_every_byte_arrives_and_comes_back(bridge: Bridge, host_tree: tuple[str, ...], kind: str, family: int) -> None:
    """Each is asked by the other, and sees the address that this one was given."""
    one, other = (Talker(bridge, host_tree, kind, name, bridge.next(family)) for name in ("one", "other"))
    for server, client in ((one, other), (other, one)):
        assert client.ask(server.address) == server.name
        server.running.wait_for(f"heard {client.address}")


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_an_address_is_reached_on_its_own_bridge_only(
    host: Host, bridge: Bridge, host_tree: tuple[str, ...], kind: str
) -> None:
    """A third program in the same subnet, but on another bridge, finds nobody there, and then its own neighbour."""
    other = Bridge(host, "containtest1", "10.78.0", "fd78").make()
    try:
        address = bridge.next()
        server = Talker(bridge, host_tree, kind, "server", address)
        third = Talker(other, host_tree, kind, "third", bridge.next())
        assert third.ask(address, seconds=0.25).startswith("no answer")
        Talker(other, host_tree, kind, "namesake", address)
        assert third.ask(address) == "namesake"
        neighbour = Talker(bridge, host_tree, kind, "neighbour", bridge.next())
        assert neighbour.ask(address) == "server"
        heard = server.running.wait_for("heard").said.decode().splitlines()[1:]
        assert set(heard) == {f"heard {neighbour.address}"}
    finally:
        host.end_all()
        other.remove()


def test_the_host_answers_on_the_bridge(bridge: Bridge, pair: Pair) -> None:
    one, _ = pair
    one.succeed(f"ping -c 1 -w 5 {bridge.address}")
    bridge.host.run("ping", "-c", "1", "-w", "5", one.address)


def test_two_bridges_are_two_worlds(host: Host, bridge: Bridge, shell: Shell, pair: Pair) -> None:
    """Nor does the host lead from one to the other, unless it was told to."""
    other = Bridge(host, "containtest1", "10.78.0", "fd78").make()
    try:
        stranger = shell("--bridge", other.name, "--network-address", "10.78.0.9/24")
        stranger.succeed(f"ping -c 1 -w 5 {other.address}")
        host.finish("sysctl", "-qw", f"net.ipv4.conf.{other.name}.forwarding=0")
        stranger.fail(f"ping -c 1 -w 2 -W 1 {pair[0].address}")
    finally:
        host.end_all()
        other.remove()


def test_there_is_loopback_and_one_link_with_the_address(pair: Pair) -> None:
    one, _ = pair
    shown = one.succeed("ip address")
    assert re.findall(r"^\d+: ([^:@]+)", shown, re.M) == ["lo", "eth0"]
    assert re.findall(r"inet ([\d./]+)", shown) == ["127.0.0.1/8", f"{one.address}/24"]
    assert "LOWER_UP" in one.succeed("ip link show eth0")


def test_the_default_route_is_the_bridge(bridge: Bridge, pair: Pair) -> None:
    routes = pair[0].succeed("ip route").splitlines()
    assert [line.split()[2] for line in routes if line.startswith("default")] == [bridge.address]


def test_loopback_works_inside(pair: Pair) -> None:
    pair[0].succeed("ping -c 1 -w 5 127.0.0.1")
    pair[0].succeed(f"ping -c 1 -w 5 {pair[0].address}")


def test_without_an_address_there_is_loopback_only(host: Host, shell: Shell) -> None:
    inside = shell()
    shown = inside.succeed("ip address")
    assert re.findall(r"^\d+: ([^:@]+)", shown, re.M) == ["lo"]
    assert "127.0.0.1/8" in shown
    assert inside.succeed("ip route") == ""
    script = "nc -l -p 7 < /etc/image & for i in $(seq 50); do nc 127.0.0.1 7 && exit; usleep 100000; done; exit 1"
    assert inside.succeed(f"sh -c '{script}'").splitlines()[-1] == "contained"


def test_without_an_address_no_bridge_is_asked_for(host: Host, rootfs: str) -> None:
    assert host.finish("test", "-e", "/sys/class/net/docker0").status != 0, f"{host} has a docker0"
    host.contained("--chroot", rootfs, "--", "true").succeeded()


def test_the_network_is_its_own(host: Host, shell: Shell) -> None:
    assert shell().succeed("readlink /proc/self/ns/net").strip() != host.run("readlink", "/proc/self/ns/net").line


@pytest.mark.parametrize("family", ["6"])
def test_two_contained_programs_speak_ipv6(bridge: Bridge, shell: Shell, family: str) -> None:
    words = ("--bridge", bridge.name, "--network-address")
    one = shell(*words, f"{bridge.subnet6}::a1/64")
    other = shell(*words, f"{bridge.subnet6}::a2/64")
    one.succeed(f"ping -{family} -c 1 -w 5 {bridge.subnet6}::a2")
    other.succeed(f"ping -{family} -c 1 -w 5 {bridge.subnet6}::a1")
    one.succeed(f"ping -{family} -c 1 -w 5 {bridge.address6}")
    assert f"via {bridge.address6}" in one.succeed("ip -6 route")
    assert "tentative" not in one.succeed("ip -6 address")


@pytest.mark.row("B45")
def test_an_address_in_use_is_refused(host: Host, rootfs: str, bridge: Bridge, pair: Pair) -> None:
    words = ("--chroot", rootfs, "--bridge", bridge.name, "--network-address")
    ran = host.contained(*words, f"{pair[0].address}/24", "--", "true")
    assert ran.status == 125
    assert re.search(r"contain: .*already in use", ran.errors)
    pair[0].succeed(f"ping -c 1 -w 5 {pair[1].address}")


def test_an_address_is_free_again_when_its_program_has_ended(host: Host, rootfs: str, bridge: Bridge) -> None:
    words = ("--chroot", rootfs, "--bridge", bridge.name, "--network-address", f"{bridge.next()}/24")
    for _ in range(5):
        assert host.contained(*words, "--", "echo", "again").succeeded().errors == ""


def test_two_launches_at_once_with_one_address_let_one_in(host: Host, rootfs: str, bridge: Bridge) -> None:
    words = ("--chroot", rootfs, "--bridge", bridge.name, "--network-address", f"{bridge.next()}/24")
    both = [host.contain(*words, "--", "sh", "-c", "echo in; cat") for _ in range(2)]
    inside = []
    for running in both:
        try:
            inside.append(running.wait_for("in\n"))
        except MissedError:
            assert running.exit_status == 125
    assert len(inside) == 1, "one program has the address"


def test_the_bridge_keeps_its_own_address_while_programs_come_and_go(
    host: Host, rootfs: str, bridge: Bridge, pair: Pair
) -> None:
    """Else those who know the old one lose packets. A bridge takes the lowest of its ports', if nobody has set its own."""
    path = f"/sys/class/net/{bridge.name}/address"
    before = host.run("cat", path).line
    assert all(host.run("cat", f"/sys/class/net/{port}/address").line >= before for port in bridge.ports)
    words = ("--chroot", rootfs, "--bridge", bridge.name, "--network-address")
    for _ in range(6):
        host.contained(*words, f"{bridge.next()}/24", "--", "true").succeeded()
        assert host.run("cat", path).line == before


def test_the_link_layer_address_is_the_same_after_a_restart(host: Host, rootfs: str, bridge: Bridge) -> None:
    words = ("--chroot", rootfs, "--bridge", bridge.name, "--network-address", f"{bridge.next()}/24")
    seen = {host.contained(*words, "--", "ip", "link", "show", "eth0").succeeded().lines[1].split()[1] for _ in "12"}
    assert len(seen) == 1
    first = int(seen.pop().split(":")[0], 16)
    assert first & 0b11 == 0b10, "locally administered, and of one station"


def test_a_bridge_without_an_address_gives_no_default_route(host: Host, shell: Shell) -> None:
    host.run("ip", "link", "add", "containtest2", "up", "type", "bridge")
    try:
        inside = shell("--bridge", "containtest2", "--network-address", "10.79.0.2/24")
        assert "default" not in inside.succeed("ip route")
    finally:
        host.end_all()
        host.run("ip", "link", "delete", "containtest2")
