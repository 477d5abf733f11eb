"""Interface names, users, host names, paths, binds and variables: taken whole or refused, never repaired."""

import posixpath
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contain import values

PATHS = st.from_regex(rb"(/[a.\xff ]{0,3}){0,5}/?", fullmatch=True)


@pytest.mark.parametrize("name", [b"docker0", b"br-1f2e", b"a" * 15, b"eth0.17", b"\xff", b"..."])
def test_a_name_an_interface_may_have_is_taken(name: bytes) -> None:
    assert values.interface_name(name) == name


@pytest.mark.row("B61")
@pytest.mark.parametrize("name", [b"br/0", b"a b", b"", b".", b"..", b"a" * 16, b"a\tb", b"br:0", b"a\n", b"a\x7f"])
def test_a_name_no_interface_can_have_is_refused(name: bytes) -> None:
    with pytest.raises(ValueError, match="name"):
        values.interface_name(name)


@pytest.mark.row("B64")
@pytest.mark.parametrize("name", [b"vh%d", b"%s", b"100%"])
def test_a_name_the_kernel_would_expand_is_refused(name: bytes) -> None:
    with pytest.raises(ValueError, match="name"):
        values.interface_name(name)


@given(st.integers(0, 2**32 - 2), st.integers(0, 2**32 - 2))
def test_a_user_is_one_number_or_two(uid: int, gid: int) -> None:
    assert values.user(b"%d" % uid) == (uid, uid)
    assert values.user(b"%d:%d" % (uid, gid)) == (uid, gid)


@pytest.mark.parametrize(
    "typed", [b"", b":", b"1:", b":1", b"1:2:3", b"root", b"-1", b"+1", b" 1", b"1 ", b"4294967295", b"0x1"]
)
def test_a_user_that_is_no_number_is_refused(typed: bytes) -> None:
    """4294967295 is -1 to setresuid(2), which means: leave it as it is."""
    with pytest.raises(ValueError, match=r"user|ids"):
        values.user(typed)


@pytest.mark.parametrize("typed", [b"", b"a b", b"a/b", b"\xc3\xa9", b"a" * 65, b"a\n", b"a\0"])
def test_a_host_name_of_other_letters_is_refused(typed: bytes) -> None:
    with pytest.raises(ValueError, match="host name"):
        values.hostname(typed)


@pytest.mark.parametrize("typed", [b"x", b"web-1.example", b"a" * 64])
def test_a_host_name_is_taken(typed: bytes) -> None:
    assert values.hostname(typed) == typed


@given(PATHS)
def test_a_path_inside_is_absolute_and_normal(raw: bytes) -> None:
    if not raw or b".." in raw.split(b"/"):
        with pytest.raises(ValueError, match="path"):
            values.inside_path(raw)
        return
    normal = posixpath.normpath(raw)
    assert values.inside_path(raw) == (normal[1:] if normal.startswith(b"//") else normal)


@pytest.mark.parametrize("typed", [b"", b"tmp", b"./tmp", b"/a/../b", b"/..", b".."])
def test_a_path_that_is_relative_or_climbs_is_refused(typed: bytes) -> None:
    with pytest.raises(ValueError, match="path inside the root"):
        values.inside_path(typed)


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        (b"/srv:/data", (b"/srv", b"/data", False)),
        (b"/srv:/data:ro", (b"/srv", b"/data", True)),
        (b"srv:/data/", (b"srv", b"/data", False)),
        (b"/a:b:/data", (b"/a:b", b"/data", False)),
        (b"/\xff\n:/d\xff", (b"/\xff\n", b"/d\xff", False)),
    ],
)
def test_a_bind_is_source_destination_and_perhaps_ro(typed: bytes, taken: tuple[bytes, bytes, bool]) -> None:
    assert values.bind(typed) == taken


@pytest.mark.parametrize(
    "typed", [b"", b"/srv", b":/data", b"/srv:", b"/srv:data", b"/srv:/", b"/srv:/a/../b", b"/srv:/data:xy"]
)
def test_a_bind_that_is_none_is_refused(typed: bytes) -> None:
    with pytest.raises(ValueError, match=r"bind|path|root"):
        values.bind(typed)


@pytest.mark.parametrize("typed", [b"A", b"A=", b"A=b=c", b"\xff=\xff"])
def test_a_variable_is_taken_as_it_is(typed: bytes) -> None:
    assert values.variable(typed) == typed


@pytest.mark.parametrize("typed", [b"", b"=x"])
def test_a_variable_without_a_name_is_refused(typed: bytes) -> None:
    with pytest.raises(ValueError, match=re.escape("NAME=VALUE")):
        values.variable(typed)


@pytest.mark.parametrize("typed", [b"", b"0", b"11", b"-1", b"1.0", b"x"])
def test_a_count_out_of_its_range_is_refused_with_the_range(typed: bytes) -> None:
    with pytest.raises(ValueError, match="tasks is a whole number from 1 to 10"):
        values.count(typed, 10, "tasks")
