"""`--network-address`: what is taken is what the standard library reads, less what no single host may have."""

import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contain import values

Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface
INTERFACES = st.one_of(
    st.builds(lambda n, p: ipaddress.IPv4Interface((n, p)), st.integers(0, 2**32 - 1), st.integers(0, 32)),
    st.builds(lambda n, p: ipaddress.IPv6Interface((n, p)), st.integers(0, 2**128 - 1), st.integers(0, 128)),
    st.builds(lambda n, p: ipaddress.IPv6Interface((n, p)), st.integers(0, 2**50), st.integers(0, 128)),
)


def fit(interface: Interface) -> bool:
    """The documented rules, said in the words of another library."""
    ip, network = interface.ip, interface.network
    if not network.prefixlen or ip.is_loopback or ip.is_multicast or ip.is_unspecified or ip.is_link_local:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        if ip in ipaddress.IPv4Network("0.0.0.0/8") or ip in ipaddress.IPv4Network("240.0.0.0/4"):
            return False
        if network.prefixlen <= 30 and ip == network.broadcast_address:
            return False
    elif ip.ipv4_mapped or int(ip) < 2**32:
        return False
    return network.prefixlen > ip.max_prefixlen - 2 or ip != network.network_address


@given(INTERFACES)
def test_an_address_is_taken_when_and_only_when_a_host_may_have_it(interface: Interface) -> None:
    raw = str(interface).encode()
    if not fit(interface):
        with pytest.raises(ValueError, match=r"host|prefix"):
            values.address(raw)
        return
    taken = values.address(raw)
    assert taken.raw == interface.ip.packed
    assert taken.prefix == interface.network.prefixlen
    assert str(taken) == str(interface)


# No NUL: no argument can hold one.
@given(st.binary(max_size=20).filter(lambda raw: 0 not in raw) | st.from_regex(rb"[0-9a-f.:/% ]{1,24}", fullmatch=True))
def test_nothing_is_taken_that_the_standard_library_does_not_read_alike(raw: bytes) -> None:
    try:
        taken = values.address(raw)
    except ValueError as error:
        refusal = str(error)
        assert refusal
        return
    interface = ipaddress.ip_interface(raw.decode("ascii"))
    assert (taken.raw, taken.prefix) == (interface.ip.packed, interface.network.prefixlen)


@given(INTERFACES, INTERFACES)
def test_the_same_subnet_is_what_the_network_contains(one: Interface, other: Interface) -> None:
    if not (fit(one) and fit(other)):
        return
    expected = one.version == other.version and other.ip in one.network
    assert values.address(str(one).encode()).same_subnet(values.address(str(other).encode())) == expected


def row(identity: str, typed: str, words: str) -> object:
    return pytest.param(typed.encode(), words, marks=pytest.mark.row(identity), id=f"{identity}-{typed!r}")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        row("B40", "10.77.0.5", r"prefix.*/24"),
        row("B41", "10.77.0.0/24", "network address"),
        row("B42", "10.77.0.255/24", "broadcast"),
        *[row("B46", f"10.77.0.8/{end}", "prefix") for end in ("33", "-1", "24/24", "x", "", "+24", " 24", "2_4")],
        *[row("B47", typed, "address") for typed in ("10.77.0/24", "10.77.0", "10.77.0.256/24", "10.77.0.8.1/24")],
        row("B48", "10.77.0.8/255.255.255.0", "prefix"),
        row("B49", "10.77.0.8/0.0.0.255", "prefix"),
        row("B50", "10.77.0.8/024", "prefix"),
        row("B51", "010.077.000.009/24", "address"),
        row("B52", "127.0.0.5/8", "loopback"),
        row("B52", "0.0.0.0/0", "prefix|unspecified"),
        row("B52", "0.0.0.0/8", "unspecified"),
        row("B52", "224.0.0.5/24", "multicast"),
        row("B52", "255.255.255.255/32", "broadcast"),
        row("B52", "240.0.0.1/24", "reserved"),
        row("B52", "169.254.1.1/16", "link-local"),
        row("B55", "10.77.0.8/0", "prefix"),
        row("B57", "::1/128", "loopback address"),
        row("B57", "::/64", "unspecified address"),
        row("B57", "::ffff:10.77.0.5/120", "address"),
        row("B57", "fd00::5%eth0/64", "address"),
        row("B57", "fe80::5/64", "link-local address"),
        row("B57", "ff02::1/64", "multicast address"),
        row("B58", "10.77.0.5/24 ", "prefix"),
        row("B58", " 10.77.0.5/24", "address"),
        row("B58", "", "address"),
        row("B56", "fd00::5", "prefix.*/64"),
        row("B56", "fd00::5/129", "prefix.*128"),
        row("B56", "fd00::/64", "network address"),
    ],
)
def test_a_row_of_the_odd_inputs_that_is_refused(typed: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=re.compile(words)):
        values.address(typed)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        row("B53", "10.77.0.6/31", "10.77.0.6/31"),
        row("B54", "10.77.0.7/32", "10.77.0.7/32"),
        row("B56", "fd00::5/64", "fd00::5/64"),
        row("B56", "FD00:0:0::5/64", "fd00::5/64"),
        row("B53", "192.168.2.17/24", "192.168.2.17/24"),
    ],
)
def test_an_address_that_is_taken(typed: bytes, words: str) -> None:
    assert str(values.address(typed)) == words
