"""`--memory-limit`: every size is taken exactly as it is spelled, and what the kernel would misread is refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contain import values

FACTORS = {
    "": 1, "b": 1, "B": 1,
    "k": 1024, "K": 1024, "KiB": 1024, "kib": 1024, "kB": 1000, "KB": 1000,
    "m": 1024**2, "M": 1024**2, "MiB": 1024**2, "MB": 1000**2, "mb": 1000**2,
    "g": 1024**3, "G": 1024**3, "GiB": 1024**3, "GB": 1000**3,
    "t": 1024**4, "T": 1024**4, "TiB": 1024**4, "TB": 1000**4,
}  # fmt: skip
PAGE = 4096
NO_LIMIT = (2**63 - 1) // PAGE * PAGE  # what cgroup v1 shows for "unlimited"


def row(identity: str, typed: str | bytes, expected: object) -> object:
    raw = typed if isinstance(typed, bytes) else typed.encode()
    return pytest.param(raw, expected, marks=pytest.mark.row(identity), id=f"{identity}-{raw!r}")


@pytest.mark.parametrize(
    ("typed", "size"),
    [
        row("B01", "1MB", 10**6),
        row("B02", "1MiB", 2**20),
        row("B03", "128m", 2**27),
        *[row("B04", typed, 2**30) for typed in ("1g", "1G", "1GiB")],
        row("B04", "1GB", 10**9),
        row("B19", "64G", 64 * 2**30),
    ],
)
def test_a_row_of_the_odd_inputs_that_is_taken(typed: bytes, size: int) -> None:
    assert values.size(typed) == size


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        row("B05", "0", "memory.*greater than 0"),
        row("B06", "1", "memory.*minimum"),
        row("B07", "4095", "minimum"),
        row("B08", "-1", "memory"),
        row("B09", "-2", "memory"),
        row("B10", "", "memory.*empty"),
        *[row("B11", typed, "memory") for typed in (" 1M", "1M ", "1 M")],
        row("B12", "1.5M", "memory"),
        row("B13", "1e6", "memory"),
        row("B14", "0x100000", "memory"),
        *[row("B15", typed, "memory") for typed in ("abc", "M", "k")],
        row("B16", "18446744073709551616", "too large"),
        row("B17", "99999999999999999999", "too large"),
        row("B18", "9223372036854775807", "too large"),
        row("B20", "1k", "minimum"),
        *[row("B21", typed, "memory") for typed in ("\N{ARABIC-INDIC DIGIT ONE}M", "\N{FULLWIDTH DIGIT ONE}M")],
        row("B22", "1_000_000", "memory"),
        row("B23", "1M\n", "memory"),
        row("B23", b"1M\0", "memory"),
        row("B23", b"1M\xff", "memory"),
    ],
)
def test_a_row_of_the_odd_inputs_that_is_refused(typed: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=re.compile(words)):
        values.size(typed)


@given(st.integers(1, 2**70), st.sampled_from(sorted(FACTORS)))
def test_a_number_and_a_unit_are_their_product_or_refused(number: int, unit: str) -> None:
    product = number * FACTORS[unit]
    raw = f"{number}{unit}".encode()
    if PAGE <= product < NO_LIMIT - PAGE:
        assert values.size(raw) == product
    elif product < PAGE or product > NO_LIMIT:
        with pytest.raises(ValueError, match=r"minimum|too large"):
            values.size(raw)


@given(st.integers(0, 2**80), st.text(max_size=4))
def test_only_the_units_in_the_help_are_known(number: int, unit: str) -> None:
    if unit.lower() in {known.lower() for known in FACTORS} or unit[:1].isdecimal():
        return
    with pytest.raises(ValueError, match="whole number"):
        values.size(f"{number}{unit}".encode())


@given(st.binary(max_size=12))
def test_any_bytes_are_a_size_or_a_value_error(raw: bytes) -> None:
    try:
        taken = values.size(raw)
    except ValueError as error:
        refusal = str(error)
        assert "memory limit" in refusal
    else:
        assert taken >= PAGE


@given(st.integers(PAGE, 2**62))
def test_what_is_told_to_people_is_the_size_or_says_that_it_is_rounded(size: int) -> None:
    words = values.size_text(size)
    number, _, unit = words.partition(" ")
    if "." in number:
        assert abs(float(number) * 2**20 - size) <= 0.051 * 2**20 + size * 1e-12
    else:
        assert int(number) * (1 if unit == "bytes" else FACTORS[unit]) == size
