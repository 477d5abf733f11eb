"""`--cpu-core-ids`: lists and ranges come back as they were meant, and what cgroup v1 would quietly take is refused."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contain import values

CORES = st.sets(st.integers(0, 8191), min_size=1, max_size=60)


def row(identity: str, typed: str | bytes, expected: object) -> object:
    raw = typed if isinstance(typed, bytes) else typed.encode()
    return pytest.param(raw, expected, marks=pytest.mark.row(identity), id=f"{identity}-{raw!r}")


@pytest.mark.parametrize(
    ("typed", "cores"),
    [
        (b"1,3", (1, 3)),
        (b"0-7", tuple(range(8))),
        row("B25", "3,5-7", (3, 5, 6, 7)),
        row("B26", "0,3", (0, 3)),
        row("B38", "0,0", (0,)),
        row("B38", "0-1,1", (0, 1)),
        (b"7,0-2", (0, 1, 2, 7)),
        (b"8191", (8191,)),
    ],
)
def test_a_list_that_is_taken(typed: bytes, cores: tuple[int, ...]) -> None:
    assert values.cpus(typed) == cores


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        row("B27", "", "cpu.*empty"),
        row("B28", " ", "cpu"),
        row("B29", "1-0", "cpu.*range"),
        *[row("B30", typed, "cpu") for typed in ("0-", "-0", "-1", "0-1-2")],
        row("B31", "0 1", "cpu"),
        *[row("B32", typed, "cpu") for typed in ("0,,1", ",0", "0,", ",")],
        row("B33", "all", "cpu"),
        row("B34", "0-1:1/2", "cpu"),
        *[row("B35", typed, "cpu") for typed in ("0x1", "+0", "a", "none", "0;1", "0.5", "0_1")],
        row("B36", "99999", "cpu 99999 is not available"),
        row("B37", "18446744073709551616", "cpu 18446744073709551616 is not available"),
        (b"0-999999999", "cpu 999999999 is not available"),
        (b"0\n", "cpu"),
        ("\N{FULLWIDTH DIGIT ONE}".encode(), "cpu"),
        (b"\xff", "cpu"),
    ],
)
def test_a_list_that_is_refused(typed: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=re.compile(words)):
        values.cpus(typed)


@given(CORES)
def test_what_is_printed_is_read_back_as_the_same_cores(cores: set[int]) -> None:
    ascending = tuple(sorted(cores))
    assert values.cpus(values.cpus_text(ascending).encode()) == ascending


@given(CORES)
def test_the_text_is_the_shortest_of_the_kernel(cores: set[int]) -> None:
    """Ranges never touch one another, and two neighbours are a range, as in /proc/self/status."""
    parts = [tuple(map(int, part.split("-"))) for part in values.cpus_text(tuple(sorted(cores))).split(",")]
    for one, other in pairwise(parts):
        assert one[-1] + 1 < other[0]


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), min_size=1, max_size=8))
def test_ranges_in_any_order_and_overlapping_are_their_union(pairs: list[tuple[int, int]]) -> None:
    spans = [(min(pair), max(pair)) for pair in pairs]
    typed = ",".join(f"{low}-{high}" for low, high in spans).encode()
    assert set(values.cpus(typed)) == {core for low, high in spans for core in range(low, high + 1)}


@given(st.binary(max_size=12) | st.from_regex(rb"[0-9,\- ]{0,12}", fullmatch=True))
def test_any_bytes_are_cores_or_a_value_error_with_words(raw: bytes) -> None:
    try:
        taken = values.cpus(raw)
    except ValueError as error:
        refusal = str(error)
        assert "cpu" in refusal
    else:
        assert taken
