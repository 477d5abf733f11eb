"""The reservation of an address: who can take it, how far it reaches, and when it is free again."""

import re

import pytest

from tests.integration.harness.bridge import Bridge
from tests.integration.harness.host import DRIVERS, Host
from tests.integration.harness.judge import SEVEN, accepted, refused
from tests.integration.harness.link import PYTHON
from tests.integration.harness.running import Finished, Running

IN_USE = r"already in use by another contained program\ncontain: hint: "
# Ways to see the same network and the same bridge: what stands before the launcher.
VIEWS = {
    "plain": (),
    "own pids and /proc": ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child"),
    "own /run and /tmp": (
        "unshare",
        "--mount",
        "sh",
        "-c",
        'mount -t tmpfs run /run; mount -t tmpfs tmp /tmp; exec "$@"',
        "sh",
    ),
    "settings hidden": ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc/sys/net/ipv4; exec "$@"', "sh"),
    "own everything else": (
        "unshare",
        "--mount",
        "--uts",
        "--ipc",
        "--pid",
        "--fork",
        "--mount-proc",
        "--kill-child",
    ),
}
SPELLINGS = {
    "the same": ("{4}/24", "{4}/24"),
    "another prefix": ("{4}/24", "{4}/25"),
    "v6": ("{6}/64", "{6}/64"),
    "v6 in full": ("{6}/64", "{full}/64"),
    "v6 in capitals, another prefix": ("{6}/64", "{capitals}/96"),
}


def start(host: Host, rootfs: str, bridge: str, address: str, view: str = "plain") -> Running:
    """A contained program that says `in` and lives until its input ends."""
    words = ("--chroot", rootfs, "--bridge", bridge, "--network-address", address)
    return host.start(*VIEWS[view], host.contain_path, *words, "--", "sh", "-c", "echo in; exec cat").wait_for("in\n")


def try_one(host: Host, rootfs: str, bridge: str, address: str, view: str = "plain") -> Finished:
    words = ("--chroot", rootfs, "--bridge", bridge, "--network-address", address)
    return host.finish(*VIEWS[view], host.contain_path, *words, "--", *SEVEN)


def ended(running: Running) -> None:
    running.close_stdin()
    assert (running.exit_status, running.stderr) == (0, b"")


@pytest.mark.parametrize("uid", ["1000", "65534"])
def test_a_user_who_locks_all_there_is_stops_no_launch(host: Host, rootfs: str, bridge: Bridge, uid: str) -> None:
    path = "/tmp/read-locks-of-everybody.py"
    host.put(path, (DRIVERS / "read_locks.py").read_bytes())
    try:
        stranger = host.start(PYTHON, "-IS", path, host.contain_path, uid, bridge.name).wait_for("holds ")
        assert int(stranger.said.split()[1]) > 40
        for address in (f"{bridge.next()}/24", f"{bridge.next(6)}/64"):
            accepted(try_one(host, rootfs, bridge.name, address))
        stranger.close_stdin()
        stranger.finished()
    finally:
        host.run("rm", path)


@pytest.mark.parametrize(("first", "second"), [(a, b) for a in VIEWS for b in VIEWS if "plain" in (a, b) or a == b])
def test_an_address_is_given_once_whatever_each_sees(host: Host, rootfs: str, bridge: Bridge, first: str, second: str) -> None:
    address = f"{bridge.next()}/24"
    owner = start(host, rootfs, bridge.name, address, first)
    refused(try_one(host, rootfs, bridge.name, address, second), IN_USE)
    ended(owner)
    accepted(try_one(host, rootfs, bridge.name, address, second))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_address_is_given_once_however_it_is_spelt(host: Host, rootfs: str, bridge: Bridge, spelling: str) -> None:
    v4, v6 = bridge.next(), bridge.next(6)
    full = ":".join([bridge.subnet6, *["0000"] * 6, v6.rpartition(":")[2].zfill(4)])
    first, second = (form.format(0, 0, 0, 0, v4, 0, v6, full=full, capitals=full.upper()) for form in SPELLINGS[spelling])
    owner = start(host, rootfs, bridge.name, first)
    refused(try_one(host, rootfs, bridge.name, second), IN_USE)
    ended(owner)


@pytest.mark.parametrize("family", [4, 6])
def test_an_address_is_given_once_whatever_the_bridge_is_called(host: Host, rootfs: str, family: int) -> None:
    """Nor is it kept from another bridge, not even from one that has the old name now."""
    bridge = Bridge(host, "containtest5", "10.81.0", "fd81").make()
    address = "10.81.0.9/24" if family == 4 else "fd81::9/64"
    renamed = 'ip link set "$1" down; ip link set "$1" name "$2"; ip link set "$2" up'
    try:
        start(host, rootfs, bridge.name, address)
        host.shell(renamed, bridge.name, "containtest6")
        refused(try_one(host, rootfs, "containtest6", address), IN_USE)
        namesake = Bridge(host, bridge.name, "10.81.0", "fd81").make()
        try:
            owner = start(host, rootfs, namesake.name, address)
            refused(try_one(host, rootfs, namesake.name, address), IN_USE)
            ended(owner)
        finally:
            namesake.remove()
    finally:
        host.end_all()
        host.run("ip", "link", "delete", "containtest6")


def test_two_networks_with_equal_bridges_know_nothing_of_each_other(host: Host, rootfs: str, bridge: Bridge) -> None:
    """In a network namespace of its own with a bridge of the same name and number."""
    address, index = f"{bridge.next()}/24", host.run("cat", f"/sys/class/net/{bridge.name}/ifindex").line
    owner = start(host, rootfs, bridge.name, address)
    script = 'ip link add "$1" index "$2" up type bridge; shift 2; exec "$@"'
    words = ("--chroot", rootfs, "--bridge", bridge.name, "--network-address", address, "--", *SEVEN)
    accepted(host.finish("unshare", "--net", "sh", "-c", script, "sh", bridge.name, index, host.contain_path, *words))
    ended(owner)


def test_a_refused_start_disturbs_nobody(host: Host, rootfs: str, bridge: Bridge) -> None:
    """Nor does one that comes at the same moment: packets to the owner arrive, and there is no port more than before."""
    address = bridge.next()
    owner = start(host, rootfs, bridge.name, f"{address}/24")
    ports = bridge.ports
    ping = host.start("ping", "-q", "-i", "0.02", "-w", "60", address)
    for view in (*VIEWS, *VIEWS):
        refused(try_one(host, rootfs, bridge.name, f"{address}/24", view), IN_USE)
    ping.signal("INT")
    assert re.search(r" 0% packet loss", ping.finished().text), ping.finished()
    assert bridge.ports == ports
    ended(owner)


@pytest.mark.parametrize(("how", "many"), [("end", 12), ("TERM", 12), ("KILL", 24), ("squatted", 12), ("moment", 36)])
def test_a_dead_owner_neither_refuses_nor_delays_the_next(host: Host, rootfs: str, bridge: Bridge, how: str, many: int) -> None:
    words = ("--chroot", rootfs, "--network-address", f"{bridge.next()}/24", "--bridge", bridge.name)
    assert host.drive("address_again.py", str(host.rounds(many)), how, *words) == []


def test_a_dead_owner_whose_network_somebody_holds_is_dispossessed(host: Host, rootfs: str, bridge: Bridge) -> None:
    """The link of the dead stays for as long as root looks into that network, but nothing is heard of it any more."""
    address = bridge.next()
    owner = start(host, rootfs, bridge.name, f"{address}/24")
    init = host.run("cat", f"/proc/{owner.pid}/task/{owner.pid}/children").text.split()[0]
    holder = host.start("nsenter", "--target", init, "--net", "sh", "-c", "echo held; read end").wait_for("held")
    (old,) = bridge.ports
    owner.signal("KILL")
    owner.finished()
    new = start(host, rootfs, bridge.name, f"{address}/24")
    assert host.run("cat", f"/sys/class/net/{old}/operstate").line == "down"
    host.run("ping", "-c", "1", "-w", "5", address)
    refused(try_one(host, rootfs, bridge.name, f"{address}/24"), IN_USE)
    ended(new)
    holder.close_stdin()
    holder.finished()


def test_a_stopped_launcher_keeps_its_address(host: Host, rootfs: str, bridge: Bridge) -> None:
    address = f"{bridge.next()}/24"
    owner = start(host, rootfs, bridge.name, address)
    owner.signal("STOP")
    refused(try_one(host, rootfs, bridge.name, address), IN_USE)
    owner.signal("CONT")
    ended(owner)


def test_of_two_starts_at_once_one_has_the_address(host: Host, rootfs: str, bridge: Bridge) -> None:
    words = ("--chroot", rootfs, "--bridge", bridge.name, "--network-address", f"{bridge.next()}/24")
    assert host.drive("address_at_once.py", str(host.rounds(30)), *words) == []


def test_a_name_that_somebody_else_gave_is_left_to_him(host: Host, rootfs: str, bridge: Bridge) -> None:
    """Root of another kind may keep an address from contained programs; his link is not touched."""
    address, index = bridge.next(), host.run("cat", f"/sys/class/net/{bridge.name}/ifindex").line
    host.run("ip", "link", "add", "containveth", "up", "type", "veth", "peer", "containpeer")
    try:
        host.run("ip", "link", "property", "add", "dev", "containveth", "altname", f"contain.{index}.{address}")
        refused(try_one(host, rootfs, bridge.name, f"{address}/24"), IN_USE)
        assert "UP" in host.run("ip", "link", "show", "dev", f"contain.{index}.{address}").text
    finally:
        host.run("ip", "link", "delete", "containveth")
