"""commands/nearest.py: an option that is not there is answered with the one that was meant, or with none."""

import pytest

from contain.commands.nearest import ELSEWHERE, hint, nearest_option
from contain.commands.words import COMMANDS
from contain.options import TABLE

NAMES = [option.name for option in TABLE]


def test_other_programs_words_lead_to_options_that_are_there() -> None:
    assert set(ELSEWHERE) <= set(NAMES)
    words = [word for others in ELSEWHERE.values() for word in others.split()]
    assert len(words) == len(set(words)), "one word, one meaning"
    assert not set(words) & set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_slip_in_a_name_leads_to_it(name: str) -> None:
    slips = [name[:at] + name[at + 1 :] for at in range(len(name))] if len(name) > 5 else []
    slips += [name.upper(), name.replace("-", "_") + "_", name + "s"]
    for slip in slips:
        if slip not in NAMES and slip not in " ".join(ELSEWHERE.values()).split():
            found = nearest_option(slip)
            assert found is not None, slip
            assert found.name == name, slip


@pytest.mark.parametrize("name", ["zzzz", "9", "", "-", "\udcff", "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"])
def test_what_is_like_nothing_leads_nowhere(name: str) -> None:
    assert nearest_option(name) is None
    assert hint("command", name.encode("utf-8", "surrogateescape")) == ""


@pytest.mark.parametrize("name", [name for name, _, _ in COMMANDS])
def test_a_slip_in_a_command_leads_to_it(name: str) -> None:
    for slip in (name[0] + name[2:] if len(name) > 4 else name + "s", name.upper()):
        assert f"contain {name} " in hint("command", slip.encode())
