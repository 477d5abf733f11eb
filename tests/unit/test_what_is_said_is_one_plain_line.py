"""errors.py: one line each, printable, quoted as a shell would need it, and never a failure of its own."""

import os
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contain.errors import ContainError, report, say, text, word


@given(st.binary(max_size=40))
def test_any_bytes_are_shown_as_one_printable_line(raw: bytes) -> None:
    assert text(raw).isprintable()
    assert word(raw).isprintable()


@given(st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=40))
def test_a_printable_word_can_be_typed_into_a_shell_as_it_is_shown(words: str) -> None:
    assert text(words.encode()) == words
    assert shlex.split(word(words.encode())) == [words]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"plain/path-1.0_x", "plain/path-1.0_x"),
        (b"", "''"),
        (b"a b", "'a b'"),
        (b"it's", "'it'\\''s'"),
        (b"$HOME;`x`", "'$HOME;`x`'"),
        (b"~", "'~'"),
        (b"a\nb\x1b[0m", r"'a\nb\x1b[0m'"),
        (b"\xff", r"'\xff'"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}x".encode(), r"'\u202ex'"),
    ],
)
def test_a_word_is_quoted_when_a_shell_would_read_more_into_it(raw: bytes, shown: str) -> None:
    assert word(raw) == shown


def test_what_is_said_is_written_whole_and_begins_with_the_name(capfd: pytest.CaptureFixture[str]) -> None:
    say("x" * 100_000)
    assert capfd.readouterr().err == f"contain: {'x' * 100_000}\n"


def test_an_error_is_its_deed_its_reason_and_then_the_remedy(capfd: pytest.CaptureFixture[str]) -> None:
    report(ContainError("mount -t proc proc /proc", "Permission denied", "be root"))
    assert capfd.readouterr().err == "contain: mount -t proc proc /proc: Permission denied\ncontain: hint: be root\n"


def test_a_stderr_that_is_full_or_closed_changes_nothing() -> None:
    kept = os.dup(2)
    try:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, 2)
        os.close(full)
        say("nobody hears this")
        os.close(2)
        say("nor this")
    finally:
        os.dup2(kept, 2)
        os.close(kept)
