"""The rtnetlink messages contain speaks, encoded and decoded; rtnetlink(7), linux/if_link.h, linux/if_addr.h.

Only what a launch needs: making a veth pair, setting an interface up, addresses, routes, and asking about a bridge.
"""

from contain import linux
from contain.linux import u16, u32

RTM_NEWLINK, RTM_GETLINK = 16, 18
RTM_NEWADDR, RTM_GETADDR = 20, 22
RTM_NEWROUTE = 24
RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH = 28, 29, 30
RTM_NEWLINKPROP, RTM_DELLINKPROP = 108, 109
NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE, NLM_F_DUMP = 0x1, 0x4, 0x200, 0x400, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_MASTER, IFLA_LINKINFO, IFLA_NET_NS_PID = 1, 3, 4, 10, 18, 19
IFLA_LINK_NETNSID, IFLA_TARGET_NETNSID, IFLA_PROP_LIST, IFLA_ALT_IFNAME = 37, 46, 52, 53
NLA_F_NESTED = 0x8000
IFLA_INFO_KIND, IFLA_INFO_DATA, VETH_INFO_PEER = 1, 2, 1
IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST, IFA_F_NODAD = 1, 2, 4, 0x02
RTA_GATEWAY, RTA_OIF = 5, 4
NDA_DST, NDA_LLADDR, NTF_USE = 1, 2, 0x01
IFF_UP = 1
NUD_REACHABLE = 0x02
NUD_OLD = 0x04 | 0x08 | 0x10 | 0x20  # STALE, DELAY, PROBE, FAILED: nobody has confirmed it lately
SOL_NETLINK, NETLINK_GET_STRICT_CHK = 270, 12


def attribute(kind: int, data: bytes) -> bytes:
    """One attribute (struct rtattr): length, type, data, padded to four bytes."""
    return u16(4 + len(data)) + u16(kind) + data + b"\0" * (-len(data) & 3)


def attributes(raw: bytes) -> "dict[int, bytes]":
    """The attributes in `raw` by type; of several of one type the last."""
    found = {}
    at = 0
    while at + 4 <= len(raw):
        length = int.from_bytes(raw[at : at + 2], "little")
        if length < 4:
            break
        found[int.from_bytes(raw[at + 2 : at + 4], "little") & 0x3FFF] = raw[at + 4 : at + length]
        at += length + 3 & ~3
    return found


def ifinfomsg(index: int = 0, flags: int = 0, change: int = 0) -> bytes:
    """struct ifinfomsg: which interface, and which of its flags become what."""
    return b"\0\0\0\0" + u32(index) + u32(flags) + u32(change)


def veth(name: bytes, bridge: int, host_mac: bytes, peer: bytes, peer_mac: bytes, mtu: int, pid: int) -> bytes:
    """A veth pair: `name` up and on the bridge (an interface index), `peer` born in the network namespace of `pid`."""
    inside = (
        ifinfomsg() + attribute(IFLA_IFNAME, peer + b"\0") + attribute(IFLA_ADDRESS, peer_mac)
        + attribute(IFLA_MTU, u32(mtu)) + attribute(IFLA_NET_NS_PID, u32(pid))
    )  # fmt: skip
    info = attribute(IFLA_INFO_KIND, b"veth") + attribute(IFLA_INFO_DATA, attribute(VETH_INFO_PEER, inside))
    return (
        ifinfomsg(0, IFF_UP, IFF_UP) + attribute(IFLA_IFNAME, name + b"\0") + attribute(IFLA_ADDRESS, host_mac)
        + attribute(IFLA_MTU, u32(mtu)) + attribute(IFLA_MASTER, u32(bridge)) + attribute(IFLA_LINKINFO, info)
    )  # fmt: skip


def alternative_name(name: bytes, index: int = 0, link: bytes = b"") -> bytes:
    """An alternative name, at most 127 bytes, to give to or take from the interface `index`, or else that called `link`."""
    named = b"" if index else attribute(IFLA_IFNAME, link + b"\0")
    return ifinfomsg(index) + named + attribute(IFLA_PROP_LIST | NLA_F_NESTED, attribute(IFLA_ALT_IFNAME, name + b"\0"))


def interface_address(index: int, family: int, raw: bytes, prefix: int) -> bytes:
    """An address for the interface `index`, usable at once: IPv6 does not wait for duplicate address detection."""
    body = bytes((family, prefix, IFA_F_NODAD if family == linux.AF_INET6 else 0, 0)) + u32(index)
    body += attribute(IFA_LOCAL, raw) + attribute(IFA_ADDRESS, raw)
    if family == linux.AF_INET and prefix < 31:
        last = int.from_bytes(raw, "big") | ((1 << (32 - prefix)) - 1)
        body += attribute(IFA_BROADCAST, last.to_bytes(4, "big"))
    return body


def default_route(index: int, family: int, gateway: bytes) -> bytes:
    """struct rtmsg for the default route through `gateway`: main table, made at boot, unicast."""
    return bytes((family, 0, 0, 0, 254, 3, 0, 1)) + u32(0) + attribute(RTA_GATEWAY, gateway) + attribute(RTA_OIF, u32(index))


def neighbour(index: int, family: int, raw: bytes, flags: int = 0) -> bytes:
    """struct ndmsg: what is known of, or asked about, the neighbour with that address."""
    return bytes((family, 0, 0, 0)) + u32(index) + u16(0) + bytes((flags, 0)) + attribute(NDA_DST, raw)


class Socket:
    """A netlink socket, opened at its first use, in whichever network namespace that is."""

    def __init__(self) -> None:
        self.fd = -1
        self.sequence = 0

    def bind(self, port: int) -> None:
        """Open it under this port id. Raises OSError: EADDRINUSE, if there is one in this network namespace; netlink(7)."""
        self.fd = linux.netlink_socket()
        linux.bind_netlink(self.fd, port)

    def _send(self, kind: int, flags: int, body: bytes) -> None:
        if self.fd < 0:
            self.fd = linux.netlink_socket()
        self.sequence += 1
        linux.send(self.fd, u32(16 + len(body)) + u16(kind) + u16(flags) + u32(self.sequence) + u32(0) + body)

    def _answers(self) -> "tuple[list[tuple[int, bytes]], bool]":
        """The messages of the next datagram that answer the last request, as (type, body), and whether they are the last."""
        raw = linux.receive(self.fd)
        found: list[tuple[int, bytes]] = []
        at = 0
        while at + 16 <= len(raw):
            length = int.from_bytes(raw[at : at + 4], "little")
            kind = int.from_bytes(raw[at + 4 : at + 6], "little")
            sequence = int.from_bytes(raw[at + 8 : at + 12], "little")
            body = raw[at + 16 : at + length]
            if length < 16:
                break
            if sequence == self.sequence:
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    errno = -int.from_bytes(body[:4], "little", signed=True)
                    if errno > 0:
                        raise OSError(errno, "")
                    return found, True
                found.append((kind, body))
            at += length + 3 & ~3
        return found, False

    def request(self, kind: int, flags: int, body: bytes) -> "list[tuple[int, bytes]]":
        """Send one message and wait for the kernel's acknowledgement; what else it answers is returned. Raises OSError."""
        self._send(kind, NLM_F_REQUEST | NLM_F_ACK | flags, body)
        return self._all()

    def dump(self, kind: int, body: bytes) -> "list[tuple[int, bytes]]":
        """Ask for all objects of a kind, of which the kernel leaves out what `body` does not ask for. Raises OSError."""
        if self.fd < 0:
            self.fd = linux.netlink_socket()
        linux.set_option(self.fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        self._send(kind, NLM_F_REQUEST | NLM_F_DUMP, body)
        return self._all()

    def _all(self) -> "list[tuple[int, bytes]]":
        found, last = self._answers()
        while not last:
            more, last = self._answers()
            found += more
        return found

    def close(self) -> None:
        """Close it, if it was opened."""
        if self.fd >= 0:
            linux.close(self.fd)
            self.fd = -1
