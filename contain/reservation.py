"""An address is reserved by an alternative name of the veth pair's host end; RTM_NEWLINKPROP, ip-link(8).

The name is made of the bridge's interface index and the address. The kernel refuses a second link of that name in one network
namespace with EEXIST, whatever launchers see of /proc and /run or call the bridge; only CAP_NET_ADMIN may give one; and it
goes with the link. docs/decisions/0004 has the reasons.
"""

from contain import linux, netlink
from contain.errors import ContainError, text
from contain.netlink import Socket
from contain.network import HOST_END, Veth
from contain.step import Live, Step

HINT = "take another, or end the program that has it"
ATTEMPTS = 100  # each but the last finds a dead owner, whose reservation is taken away, or one that is gone by then


class Owner:
    """The link that bears a reservation, as it was when it was looked for. Raises OSError: ENODEV, if there is none."""

    def __init__(self, name: bytes, socket: Socket) -> None:
        body = netlink.ifinfomsg() + netlink.attribute(netlink.IFLA_ALT_IFNAME, name + b"\0")
        answer = socket.request(netlink.RTM_GETLINK, 0, body)[0][1]
        found = netlink.attributes(answer[16:])
        self.name, self.socket = name, socket
        self.index = int.from_bytes(answer[4:8], "little")
        self.link = found[netlink.IFLA_IFNAME].rstrip(b"\0")
        self.namespace = found.get(netlink.IFLA_LINK_NETNSID, b"")  # of the other end, by the kernel's number for it; int

    def lives(self) -> bool:
        """Whether its launcher lives, and the network namespace of its program; a link of somebody else's always does.

        Either may be the first to be gone: the launcher after SIGKILL, the namespace if the launcher has more to do.
        """
        port = self.link.removeprefix(HOST_END)
        if port == self.link or not port.isdigit() or int(port) >= 1 << 32:
            return True
        return self._port_is_taken(int(port)) and self._namespace_lives()

    def _port_is_taken(self, port: int) -> bool:
        trial = Socket()
        try:
            trial.bind(port)
        except OSError as error:
            if error.errno != linux.EADDRINUSE:
                raise
            return True
        finally:
            trial.close()
        return False

    def _namespace_lives(self) -> bool:
        """The kernel looks into no network namespace that is about to be taken apart: EINVAL, and soon it has no number."""
        if not self.namespace:
            return True
        try:
            looked = netlink.ifinfomsg(1) + netlink.attribute(netlink.IFLA_TARGET_NETNSID, self.namespace)
            self.socket.request(netlink.RTM_GETLINK, 0, looked)
        except OSError as error:
            return error.errno != linux.EINVAL
        return True

    def dispossess(self) -> None:
        """Take a dead owner's link down, so that nothing answers there any more, and the name from it.

        That is done in a quarter of a millisecond; deleting the link would be waiting for the kernel's grace periods.
        """
        try:
            self.socket.request(netlink.RTM_NEWLINK, 0, netlink.ifinfomsg(self.index, 0, netlink.IFF_UP))
            self.socket.request(netlink.RTM_DELLINKPROP, 0, netlink.alternative_name(self.name, self.index))
        except OSError as error:  # the link has gone by itself, or another newcomer took the name away
            if error.errno not in (linux.ENODEV, linux.ENOENT, linux.EINVAL):
                raise


class ReserveAddress(Step):
    """On the host: let no other contained program have this address on this bridge for as long as this one runs.

    Until it is done the program's end has no address and is down: two who come at once don't disturb each other.
    """

    def __init__(self, veth: Veth) -> None:
        self.veth = veth
        self.name = b"contain.%d.%s" % (veth.bridge.index, veth.address.words.encode("ascii"))

    def __str__(self) -> str:
        return f"ip link property add dev ct$$ altname {text(self.name)}"

    def hint(self, errno: int) -> str:
        return HINT if errno == linux.EEXIST else ""

    def run(self, live: Live) -> None:
        socket = self.veth.socket
        body = netlink.alternative_name(self.name, link=self.veth.name)
        for _ in range(ATTEMPTS):
            try:
                socket.request(netlink.RTM_NEWLINKPROP, netlink.NLM_F_CREATE | netlink.NLM_F_EXCL, body)
                return
            except FileExistsError:
                owner = self.owner(socket)
                if owner is not None:
                    owner.dispossess()
        raise OSError(linux.EEXIST, "")

    def owner(self, socket: Socket) -> "Owner | None":
        """The dead owner that stands in the way, if any. Raises ContainError for a living one."""
        try:
            owner = Owner(self.name, socket)
            if not owner.lives():
                return owner
        except OSError as error:
            if error.errno == linux.ENODEV:
                return None
            raise
        reason = "the address is already in use by another contained program"
        raise ContainError(f"--network-address {self.veth.address}", reason, HINT)


class LookForOwner(Step):
    """On the host: refuse an address that is in use now, before anything is made. What decides is the reservation."""

    def __init__(self, reserve: ReserveAddress, socket: Socket) -> None:
        self.reserve, self.socket = reserve, socket

    def __str__(self) -> str:
        return f"ip link show dev {text(self.reserve.name)}  # does another contained program have the address?"

    def run(self, live: Live) -> None:
        self.reserve.owner(self.socket)
