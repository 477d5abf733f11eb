"""Steps that make the network: one veth pair from the bridge to `eth0`, an address, a route; veth(4), rtnetlink(7).

The kernel takes the pair away with the network namespace, and with it the name that reserves the address (reservation.py):
nothing here needs sweeping. A bridge is looked at and never changed.
"""

import posix

from contain import linux, netlink
from contain.errors import ContainError, text, word
from contain.linux import u32
from contain.netlink import NLM_F_CREATE, NLM_F_EXCL, Socket
from contain.step import Live, Step
from contain.values import Address

# Every host end has this address: a bridge takes the lowest address of its ports for its own, and with different ones that
# would change as containers come and go, under the feet of those who have it in their ARP tables.
HOST_MAC = b"\xfe\xff\xff\xff\xff\xff"
HOST_END = b"ct"  # its name: this, and the port id of its launcher's socket


class Bridge:
    """An existing bridge of the host, as it was when the plan was made."""

    def __init__(self, name: bytes, socket: Socket) -> None:
        deed = f"bridge {text(name)}"
        try:
            body = netlink.ifinfomsg() + netlink.attribute(netlink.IFLA_IFNAME, name + b"\0")
            answer = socket.request(netlink.RTM_GETLINK, 0, body)[0][1]
        except OSError as error:
            if error.errno == linux.ENODEV:
                hint = f"ip link add {text(name)} up type bridge makes one (give it an address), --bridge names another"
                raise ContainError(deed, "the bridge does not exist", hint) from None
            raise ContainError(deed, posix.strerror(error.errno or 0)) from None
        self.name = name
        self.index = int.from_bytes(answer[4:8], "little")
        self.up = bool(answer[8] & netlink.IFF_UP)
        found = netlink.attributes(answer[16:])
        info = netlink.attributes(found.get(netlink.IFLA_LINKINFO, b""))
        if info.get(netlink.IFLA_INFO_KIND, b"").rstrip(b"\0") != b"bridge":
            raise ContainError(deed, "this interface is not a bridge")
        self.mtu = int.from_bytes(found[netlink.IFLA_MTU], "little")
        self.addresses = self._addresses(socket)

    def _addresses(self, socket: Socket) -> "list[Address]":
        body = b"\0\0\0\0" + u32(self.index)
        found = []
        for kind, answer in socket.dump(netlink.RTM_GETADDR, body):
            if kind == netlink.RTM_NEWADDR and int.from_bytes(answer[4:8], "little") == self.index:
                parts = netlink.attributes(answer[8:])
                raw = parts.get(netlink.IFA_LOCAL) or parts.get(netlink.IFA_ADDRESS)
                if raw:
                    found.append(Address(answer[0], raw, answer[1]))
        return found

    def gateway(self, address: Address) -> "Address | None":
        """The bridge's own address in the subnet of `address`, by which the host and the world are reached."""
        for own in self.addresses:
            if own.same_subnet(address) and address.same_subnet(own) and own.raw != address.raw:
                return own
        return None


def inner_mac(address: Address) -> bytes:
    """A locally administered address that follows from the IP address: a restart leaves the neighbours' tables true."""
    if address.family == linux.AF_INET:
        return b"\x02\xca" + address.raw
    folded = address.number ^ address.number >> 40 ^ address.number >> 80
    return b"\x06" + (folded & 0xFFFFFFFFFF).to_bytes(5, "big")


def shown(mac: bytes) -> str:
    """A hardware address as people write it."""
    return ":".join([f"{byte:02x}" for byte in mac])


class AskNeighbours(Step):
    """On the host: have the kernel ask the bridge who has the address, while there is other work to do."""

    def __init__(self, bridge: Bridge, address: Address, socket: Socket) -> None:
        self.bridge, self.address, self.socket = bridge, address, socket
        self.asked = False

    def __str__(self) -> str:
        return f"ip neigh get {self.address.words} dev {text(self.bridge.name)}  # is somebody else there?"

    def _about(self, flags: int = 0) -> bytes:
        return netlink.neighbour(self.bridge.index, self.address.family, self.address.raw, flags)

    def _known(self) -> "tuple[int, bytes]":
        """The state (NUD_*) and the hardware address that the kernel's table has for the address; (0, b"") for none."""
        try:
            answers = self.socket.request(netlink.RTM_GETNEIGH, 0, self._about())
        except OSError:
            return 0, b""
        for kind, answer in answers:
            if kind == netlink.RTM_NEWNEIGH:
                mac = netlink.attributes(answer[12:]).get(netlink.NDA_LLADDR, b"")
                return int.from_bytes(answer[8:10], "little"), mac
        return 0, b""

    def run(self, live: Live) -> None:
        state, mac = self._known()
        if mac == inner_mac(self.address):
            return  # the last program that had this address was a contained one, and the reservation speaks for those
        if state & netlink.NUD_OLD:
            self.forget()
        try:
            self.socket.request(netlink.RTM_NEWNEIGH, NLM_F_CREATE, self._about(netlink.NTF_USE))
            self.asked = True
        except OSError:
            pass  # a full neighbour table, or a bridge that is down: nobody can be asked, and nobody answers

    def listen(self) -> None:
        """Raises ContainError if another machine answered by now; otherwise forget that it was asked."""
        if not self.asked:
            return
        state, mac = self._known()
        if state & netlink.NUD_REACHABLE and mac != inner_mac(self.address):
            self.asked = False
            reason = f"the address is already in use: {shown(mac)} answers for it on {text(self.bridge.name)}"
            raise ContainError(f"--network-address {self.address}", reason)
        self.undo()

    def forget(self) -> None:
        """Leave no unanswered question in the neighbour table: it would delay the first packet to the program."""
        try:
            self.socket.request(netlink.RTM_DELNEIGH, 0, self._about())
        except OSError:
            pass

    def undo(self) -> None:
        if self.asked:
            self.asked = False
            self.forget()


class HearNeighbours(Step):
    """On the host: refuse an address for which another machine on the bridge has answered by now."""

    def __init__(self, question: AskNeighbours) -> None:
        self.question = question

    def __str__(self) -> str:
        return f"ip neigh show {self.question.address.words} dev {text(self.question.bridge.name)}  # has somebody answered?"

    def run(self, live: Live) -> None:
        self.question.listen()


class Veth(Step):
    """On the host: the pair, one end up on the bridge, the other born as eth0 in init's network namespace.

    The host end bears the port id of a netlink socket, which the launcher opens now, after its children were made, and keeps:
    for as long as that port is taken the launcher lives, which a newcomer may ask (reservation.py).
    """

    def __init__(self, bridge: Bridge, address: Address) -> None:
        self.bridge, self.address = bridge, address
        self.socket = Socket()
        self.name = b""

    def __str__(self) -> str:
        return (
            f"ip link add ct$$ address {shown(HOST_MAC)} mtu {self.bridge.mtu} up master {text(self.bridge.name)} "
            f"type veth peer name eth0 address {shown(inner_mac(self.address))} mtu {self.bridge.mtu} netns INIT"
        )

    def run(self, live: Live) -> None:
        mac = inner_mac(self.address)
        for left in (3, 2, 1, 0):
            port = int.from_bytes(posix.urandom(4), "little") | 1  # never 0, which means any
            self.name = HOST_END + b"%d" % port
            try:
                self.socket.bind(port)
                body = netlink.veth(self.name, self.bridge.index, HOST_MAC, b"eth0", mac, self.bridge.mtu, live.init)
                self.socket.request(netlink.RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body)
                return
            except OSError as error:  # by chance somebody has that port, or a link of that name is still being torn down
                self.socket.close()
                if not left or error.errno not in (linux.EADDRINUSE, linux.EEXIST):
                    raise


class Loopback(Step):
    """In init: `lo` up, which brings 127.0.0.1 and ::1."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket

    def __str__(self) -> str:
        return "ip link set lo up"

    def run(self, live: Live) -> None:
        self.socket.request(netlink.RTM_NEWLINK, 0, netlink.ifinfomsg(1, netlink.IFF_UP, netlink.IFF_UP))


class Interface(Step):
    """In init: the address on eth0, and the interface up."""

    def __init__(self, socket: Socket, address: Address) -> None:
        self.socket, self.address = socket, address
        self.index = 0

    def __str__(self) -> str:
        return f"ip addr add {self.address} dev eth0 && ip link set eth0 up"

    def hint(self, errno: int) -> str:
        if errno == linux.EOPNOTSUPP and self.address.family == linux.AF_INET6:
            return "this host has IPv6 switched off"
        return ""

    def run(self, live: Live) -> None:
        named = netlink.ifinfomsg() + netlink.attribute(netlink.IFLA_IFNAME, b"eth0\0")
        answer = self.socket.request(netlink.RTM_GETLINK, 0, named)[0][1]
        self.index = int.from_bytes(answer[4:8], "little")
        a = self.address
        body = netlink.interface_address(self.index, a.family, a.raw, a.prefix)
        self.socket.request(netlink.RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, body)
        self.socket.request(netlink.RTM_NEWLINK, 0, netlink.ifinfomsg(self.index, netlink.IFF_UP, netlink.IFF_UP))


class DefaultRoute(Step):
    """In init: what is outside the subnet goes by the bridge's own address."""

    def __init__(self, interface: Interface, gateway: Address) -> None:
        self.interface, self.gateway = interface, gateway

    def __str__(self) -> str:
        return f"ip route add default via {self.gateway.words} dev eth0"

    def run(self, live: Live) -> None:
        body = netlink.default_route(self.interface.index, self.gateway.family, self.gateway.raw)
        self.interface.socket.request(netlink.RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, body)


class Sysctl(Step):
    """In init: a setting of its network namespace, through the detached procfs; proc(5)."""

    def __init__(self, name: bytes, value: bytes, optional: bool = False) -> None:
        self.name, self.value, self.optional = name, value, optional

    def __str__(self) -> str:
        return f"sysctl {text(self.name).replace('/', '.')}={word(self.value)}" + ("  # if there" if self.optional else "")

    def run(self, live: Live) -> None:
        try:
            fd = posix.open(b"sys/" + self.name, posix.O_WRONLY | posix.O_CLOEXEC, dir_fd=live.proc)
        except FileNotFoundError:
            if self.optional:
                return
            raise
        posix.write(fd, self.value)
        posix.close(fd)
