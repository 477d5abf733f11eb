"""netlink.py encodes; pyroute2, which shares no line with it, decodes. Then the kernel is asked what needs no privilege."""

import ipaddress
import os
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contain import linux, netlink
from contain.errors import ContainError
from contain.linux import AF_INET, AF_INET6, u16, u32
from contain.network import HOST_MAC, Bridge, inner_mac
from contain.values import Address, address

with warnings.catch_warnings():
    warnings.simplefilter("ignore", EncodingWarning)  # pyroute2 opens a file without naming its encoding
    from pyroute2.netlink import nlmsg
    from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
    from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
    from pyroute2.netlink.rtnl.ndmsg import ndmsg
    from pyroute2.netlink.rtnl.rtmsg import rtmsg

MAIN_TABLE, BOOT, UNICAST = 254, 3, 1


def heard(kind: type[nlmsg], number: int, body: bytes) -> nlmsg:
    """`body` with a header before it, decoded."""
    message = kind(u32(16 + len(body)) + u16(number) + u16(0) + u32(1) + u32(0) + body)
    message.decode()
    return message


def mac(raw: bytes) -> str:
    return ":".join(f"{byte:02x}" for byte in raw)


@given(st.integers(1, 2**31 - 1), st.integers(68, 65535), st.integers(1, 2**22), st.binary(min_size=6, max_size=6))
def test_a_veth_pair(bridge: int, mtu: int, pid: int, peer_mac: bytes) -> None:
    link = heard(ifinfmsg, netlink.RTM_NEWLINK, netlink.veth(b"ct17", bridge, HOST_MAC, b"eth0", peer_mac, mtu, pid))
    assert (link["index"], link["flags"], link["change"]) == (0, netlink.IFF_UP, netlink.IFF_UP)
    assert link.get_attr("IFLA_IFNAME") == "ct17"
    assert link.get_attr("IFLA_ADDRESS") == mac(HOST_MAC) == "fe:ff:ff:ff:ff:ff"
    assert link.get_attr("IFLA_MASTER") == bridge
    assert link.get_attr("IFLA_MTU") == mtu
    info = link.get_attr("IFLA_LINKINFO")
    assert info.get_attr("IFLA_INFO_KIND") == "veth"
    peer = info.get_attr("IFLA_INFO_DATA").get_attr("VETH_INFO_PEER")
    assert peer.get_attr("IFLA_IFNAME") == "eth0"
    assert peer.get_attr("IFLA_ADDRESS") == mac(peer_mac)
    assert peer.get_attr("IFLA_MTU") == mtu
    assert peer.get_attr("IFLA_NET_NS_PID") == pid


@pytest.mark.parametrize(("index", "link"), [(7, b""), (0, b"ct4294967295")])
@pytest.mark.parametrize("name", [b"contain.3.10.77.0.9", b"contain.2147483647.fd77:1111:2222:3333:4444:5555:6666:7777"])
def test_an_alternative_name(index: int, link: bytes, name: bytes) -> None:
    message = heard(ifinfmsg, netlink.RTM_NEWLINKPROP, netlink.alternative_name(name, index, link))
    assert (message["index"], message["flags"], message["change"]) == (index, 0, 0)
    assert message.get_attr("IFLA_IFNAME") == (link.decode() or None)
    properties = message.get_attr("IFLA_PROP_LIST")
    assert properties.get_attrs("IFLA_ALT_IFNAME") == [name.decode()]


def test_a_port_id_is_had_by_one_socket_as_long_as_that_is_open() -> None:
    port = 1 << 31 | int.from_bytes(os.urandom(3), "big")
    one, other = netlink.Socket(), netlink.Socket()
    try:
        one.bind(port)
        with pytest.raises(OSError) as caught:  # noqa: PT011 - the errno is what is looked at
            other.bind(port)
        assert caught.value.errno == linux.EADDRINUSE
        one.close()
        other.close()
        other.bind(port)
    finally:
        one.close()
        other.close()


@given(st.integers(1, 2**31 - 1), st.integers(1, 2**32 - 1), st.integers(1, 32))
def test_an_ipv4_address_with_its_broadcast_address(index: int, number: int, prefix: int) -> None:
    interface = ipaddress.IPv4Interface((number, prefix))
    body = netlink.interface_address(index, AF_INET, interface.packed, prefix)
    message = heard(ifaddrmsg, netlink.RTM_NEWADDR, body)
    assert (message["family"], message["prefixlen"], message["index"]) == (AF_INET, prefix, index)
    assert message.get_attr("IFA_LOCAL") == message.get_attr("IFA_ADDRESS") == str(interface.ip)
    broadcast = str(interface.network.broadcast_address) if prefix < 31 else None
    assert message.get_attr("IFA_BROADCAST") == broadcast


@given(st.integers(1, 2**31 - 1), st.integers(2**64, 2**128 - 1), st.integers(1, 128))
def test_an_ipv6_address_that_is_usable_at_once(index: int, number: int, prefix: int) -> None:
    ip = ipaddress.IPv6Address(number)
    message = heard(ifaddrmsg, netlink.RTM_NEWADDR, netlink.interface_address(index, AF_INET6, ip.packed, prefix))
    assert (message["family"], message["prefixlen"], message["index"]) == (AF_INET6, prefix, index)
    assert message["flags"] & netlink.IFA_F_NODAD
    assert ipaddress.IPv6Address(message.get_attr("IFA_LOCAL")) == ip
    assert message.get_attr("IFA_BROADCAST") is None


@pytest.mark.parametrize("words", ["192.168.2.1", "fd00::1"])
def test_a_default_route(words: str) -> None:
    gateway = ipaddress.ip_address(words)
    family = AF_INET if gateway.version == 4 else AF_INET6
    message = heard(rtmsg, netlink.RTM_NEWROUTE, netlink.default_route(7, family, gateway.packed))
    assert (message["family"], message["dst_len"], message["src_len"]) == (family, 0, 0)
    assert (message["table"], message["proto"], message["type"], message["scope"]) == (MAIN_TABLE, BOOT, UNICAST, 0)
    assert message.get_attr("RTA_GATEWAY") == words
    assert message.get_attr("RTA_OIF") == 7
    assert message.get_attr("RTA_DST") is None


@pytest.mark.parametrize("words", ["192.168.2.17", "fd00::17"])
def test_a_question_about_a_neighbour(words: str) -> None:
    ip = ipaddress.ip_address(words)
    family = AF_INET if ip.version == 4 else AF_INET6
    message = heard(ndmsg, netlink.RTM_NEWNEIGH, netlink.neighbour(3, family, ip.packed, netlink.NTF_USE))
    assert (message["family"], message["ifindex"], message["state"]) == (family, 3, 0)
    assert message["flags"] == netlink.NTF_USE
    assert message.get_attr("NDA_DST") == words


def test_what_pyroute2_says_is_heard() -> None:
    message = ifinfmsg()
    message["attrs"] = [("IFLA_IFNAME", "eth0"), ("IFLA_MTU", 1400), ("IFLA_MASTER", 9)]
    message.encode()
    found = netlink.attributes(bytes(message.data)[32:])
    assert found[netlink.IFLA_IFNAME].rstrip(b"\0") == b"eth0"
    assert int.from_bytes(found[netlink.IFLA_MTU], "little") == 1400
    assert int.from_bytes(found[netlink.IFLA_MASTER], "little") == 9


@given(st.dictionaries(st.integers(0, 0x3FFF), st.binary(max_size=40)))
def test_attributes_come_back_as_they_went(content: dict[int, bytes]) -> None:
    raw = b"".join(netlink.attribute(kind, data) for kind, data in content.items())
    assert netlink.attributes(raw) == content
    assert len(raw) % 4 == 0


@given(st.binary(max_size=64))
def test_attributes_of_any_bytes_are_read_to_an_end(raw: bytes) -> None:
    assert all(len(data) <= len(raw) for data in netlink.attributes(raw).values())


@given(st.integers(1, 2**32 - 1), st.integers(0, 2**128 - 1))
def test_the_inner_mac_is_local_unicast_and_follows_from_the_address(v4: int, v6: int) -> None:
    for family, raw in ((AF_INET, v4.to_bytes(4, "big")), (AF_INET6, v6.to_bytes(16, "big"))):
        made = inner_mac(Address(family, raw, 24))
        assert len(made) == 6
        assert made[0] & 3 == 2  # locally administered, not multicast
        assert made == inner_mac(Address(family, raw, 8))


def test_the_kernel_answers_a_dump_and_a_question() -> None:
    socket = netlink.Socket()
    try:
        named = netlink.ifinfomsg() + netlink.attribute(netlink.IFLA_IFNAME, b"lo\0")
        ((kind, answer),) = socket.request(netlink.RTM_GETLINK, 0, named)
        assert kind == netlink.RTM_NEWLINK
        index = int.from_bytes(answer[4:8], "little")
        dumped = socket.dump(netlink.RTM_GETADDR, b"\0\0\0\0" + u32(index))
        assert all(int.from_bytes(body[4:8], "little") == index for _, body in dumped)
    finally:
        socket.close()


@pytest.mark.row("B59")
def test_a_bridge_that_does_not_exist_is_named() -> None:
    with pytest.raises(ContainError, match="bridge nobr: the bridge does not exist") as caught:
        Bridge(b"nobr", netlink.Socket())
    assert "ip link add nobr" in caught.value.hint


@pytest.mark.row("B60")
def test_an_interface_that_is_no_bridge_is_named() -> None:
    with pytest.raises(ContainError, match="bridge lo: this interface is not a bridge"):
        Bridge(b"lo", netlink.Socket())


def test_the_kernels_refusal_is_an_errno() -> None:
    socket = netlink.Socket()
    nothing = netlink.ifinfomsg() + netlink.attribute(netlink.IFLA_IFNAME, b"no such\0")
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the errno is what is looked at
        socket.request(netlink.RTM_GETLINK, 0, nothing)
    assert caught.value.errno in (linux.ENODEV, linux.EINVAL)
    socket.close()


def test_the_gateway_is_the_bridges_own_address_in_that_subnet() -> None:
    bridge = Bridge.__new__(Bridge)
    bridge.addresses = [address(raw) for raw in (b"10.0.0.1/8", b"192.168.2.1/24", b"fd00::1/64")]
    for asked, gateway in ((b"192.168.2.17/24", "192.168.2.1/24"), (b"fd00::17/64", "fd00::1/64"), (b"172.16.0.9/12", "None")):
        assert str(bridge.gateway(address(asked))) == gateway
