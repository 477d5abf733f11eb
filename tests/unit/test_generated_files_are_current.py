"""The manual page and the completions in share/ are what the table of options says now.

To take a change over: CONTAIN_GOLDEN=write pytest tests/unit -k generated
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from contain import cli
from contain.commands import completion, man
from contain.commands.words import COMMANDS
from contain.options import TABLE

SHARE = Path(__file__).parents[2] / "share"
GENERATED = {
    "man/man1/contain.1": man.page,
    "bash-completion/completions/contain": completion.bash,
    "zsh/site-functions/_contain": completion.zsh,
    "fish/vendor_completions.d/contain.fish": completion.fish,
}


@pytest.mark.parametrize(("name", "make"), GENERATED.items())
def test_generated_file_is_current(name: str, make: Callable[[], str]) -> None:
    if os.environ.get("CONTAIN_GOLDEN") == "write":
        (SHARE / name).write_text(make(), encoding="utf-8")
    assert (SHARE / name).read_text(encoding="utf-8") == make()


def test_every_command_has_its_words() -> None:
    assert {name.encode() for name, _, _ in COMMANDS} == {b"chroot", *cli.COMMANDS}


@pytest.mark.parametrize("make", GENERATED.values())
def test_every_option_is_in_every_generated_file(make: Callable[[], str]) -> None:
    plain = make().replace("\\-", "-")
    assert [option.name for option in TABLE if option.name not in plain] == []


def test_a_line_of_the_manual_page_never_becomes_a_macro() -> None:
    assert man.roff(".hidden") == "\\&.hidden"
    assert man.roff("a\\b --c") == "a\\eb \\-\\-c"
    assert all(line[0] not in ".'" for line in man.fold("word " * 15 + "... 'tail' " * 3))
