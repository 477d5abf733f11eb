"""Odd addresses and bridges: the kernel takes nearly all of these, and nothing is reached with them."""

from collections.abc import Callable, Iterator

import pytest

from tests.integration.harness.bridge import Bridge
from tests.integration.harness.host import Host
from tests.integration.harness.judge import SEVEN, accepted, refused
from tests.integration.harness.running import Finished

KINDS = "(loopback|unspecified|multicast|broadcast|link-local)"
REFUSED = [
    ("B40", "10.77.0.5", "(prefix|mask|/24)"),
    ("B41", "10.77.0.0/24", "network address"),
    ("B42", "10.77.0.255/24", "broadcast"),
    ("B43", "10.77.0.1/24", "(bridge|gateway).*(own|in use)"),
    ("B46", "10.77.0.8/33", "prefix"),
    ("B46", "10.77.0.8/-1", "prefix"),
    ("B46", "10.77.0.8/24/24", "prefix"),
    ("B46", "10.77.0.8/x", "prefix"),
    ("B47", "10.77.0/24", "address"),
    ("B47", "10.77.0.256/24", "address"),
    ("B47", "10.77.0.8.1/24", "address"),
    ("B48", "10.77.0.8/255.255.255.0", "prefix"),
    ("B49", "10.77.0.8/0.0.0.255", "prefix"),
    ("B50", "10.77.0.8/024", "prefix"),
    ("B51", "010.077.000.009/24", "address"),
    ("B52", "127.0.0.5/8", KINDS),
    ("B52", "0.0.0.0/8", KINDS),
    ("B52", "169.254.1.1/16", KINDS),
    ("B52", "224.0.0.5/24", KINDS),
    ("B52", "255.255.255.255/32", KINDS),
    ("B55", "10.77.0.8/0", "prefix"),
    ("B57", "::1/128", "address"),
    ("B57", "::ffff:10.77.0.5/120", "address"),
    ("B57", "fd77::5%eth0/64", "address"),
    ("B57", "fe80::5/64", "address"),
    ("B58", "10.77.0.5/24 ", "(address|prefix)"),
    ("B58", " 10.77.0.5/24", "address"),
    ("B58", "", "address"),
]
ACCEPTED = [
    ("B44", "192.168.9.9/24", "(subnet|reach)"),
    ("B53", "10.77.0.6/31", "(subnet|reach|route)"),
    ("B54", "10.77.0.7/32", "/32"),
]
BRIDGES = [
    ("B59", "nobr", "bridge.*(not exist|no such)"),
    ("B60", "lo", "not a bridge"),
    ("B60", "contdummy", "not a bridge"),
    ("B61", "br/0", "(name|bridge)"),
    ("B61", "a b", "(name|bridge)"),
    ("B61", "", "(name|bridge)"),
    ("B61", "..", "(name|bridge)"),
    ("B61", "sixteen-letters-", "(name|bridge)"),
    ("B64", "vh%d", "name"),
]
Launch = Callable[[str, str], Finished]


@pytest.fixture
def launch(host: Host, rootfs: str) -> Launch:
    def start(bridge: str, address: str) -> Finished:
        words = (f"--bridge={bridge}", f"--network-address={address}")
        return host.contained("--chroot", rootfs, *words, "--", *SEVEN)

    return start


@pytest.mark.parametrize(("row", "address", "pattern"), REFUSED)
def test_an_address_that_reaches_nobody_is_refused(
    launch: Launch, bridge: Bridge, row: str, address: str, pattern: str
) -> None:
    refused(launch(bridge.name, address), pattern)


@pytest.mark.parametrize(("row", "address", "warning"), ACCEPTED)
def test_an_unusual_address_is_taken_with_a_warning(
    launch: Launch, bridge: Bridge, row: str, address: str, warning: str
) -> None:
    accepted(launch(bridge.name, address), warning)


@pytest.mark.row("B56")
def test_an_ipv6_address_is_taken(launch: Launch, bridge: Bridge) -> None:
    accepted(launch(bridge.name, f"{bridge.subnet6}::5/64"))


@pytest.fixture
def dummy(host: Host) -> Iterator[None]:
    """A link that is no bridge, as a network card is none."""
    host.run("ip", "link", "add", "contdummy", "type", "veth", "peer", "contdummy-peer")
    yield
    host.run("ip", "link", "delete", "contdummy")


@pytest.mark.usefixtures("dummy")
@pytest.mark.parametrize(("row", "name", "pattern"), BRIDGES)
def test_what_is_no_bridge_is_refused(launch: Launch, row: str, name: str, pattern: str) -> None:
    refused(launch(name, "10.77.0.8/24"), pattern)


@pytest.mark.row("B62")
def test_a_bridge_that_is_down_is_a_warning(host: Host, launch: Launch) -> None:
    host.run("ip", "link", "add", "containtest3", "type", "bridge")
    try:
        accepted(launch("containtest3", "10.79.0.8/24"), "(down|not up)")
    finally:
        host.run("ip", "link", "delete", "containtest3")


@pytest.mark.row("B63")
def test_a_bridge_without_an_address_for_the_program_is_refused(host: Host, rootfs: str, bridge: Bridge) -> None:
    refused(host.contained("--chroot", rootfs, "--bridge", bridge.name, "--", *SEVEN), "(both|requires|needs)")


@pytest.mark.row("B63")
def test_an_address_without_a_bridge_means_docker0_and_says_so_when_it_is_not_there(host: Host, rootfs: str) -> None:
    assert host.finish("test", "-e", "/sys/class/net/docker0").status != 0, f"{host} has a docker0"
    ran = host.contained("--chroot", rootfs, "--network-address", "10.77.0.8/24", "--", *SEVEN)
    refused(ran, "docker0.*(not exist|no such)")


@pytest.fixture
def stranger(host: Host, bridge: Bridge) -> Iterator[str]:
    """The address of a machine on the bridge that contain knows nothing of: a network namespace of its own."""
    address = bridge.next()
    machine = host.start("unshare", "--net", "sh", "-c", "echo up; read end").wait_for("up")
    script = """
        ip link add stranger master "$2" up type veth peer name eth0 netns "$1"
        nsenter --target "$1" --net sh -c "ip address add $3/24 dev eth0; ip link set eth0 up"
    """
    host.shell(script, str(machine.pid), bridge.name, address)
    host.run("ping", "-c", "1", "-w", "5", address)
    host.run("ip", "neigh", "flush", "dev", bridge.name)  # what the host has learnt of it just now is no part of the question
    yield address
    host.run("ip", "link", "delete", "stranger")
    machine.close_stdin()
    machine.finished()


@pytest.mark.row("B45")
def test_an_address_of_another_machine_is_refused(launch: Launch, bridge: Bridge, stranger: str) -> None:
    refused(launch(bridge.name, f"{stranger}/24"), "already in use.*answers for it")
