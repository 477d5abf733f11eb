"""Every signal to the launcher reaches the program once, with what it carries, alone and in storms."""

import pytest

from tests.integration.harness.host import Host
from tests.integration.harness.yardstick import Answers, Case, each_case
from tests.integration.yardstick import rows_signals as rows


@pytest.fixture(scope="module")
def yardstick(host: Host, request: pytest.FixtureRequest) -> Answers:
    return Answers.to_selected(host, request)


@each_case(rows.each_signal)
def test_each_signal_arrives_once(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.each_queued)
def test_each_queued_signal_arrives_once_with_its_value(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.each_to_the_group)
def test_each_signal_to_the_whole_group_arrives_once(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.storms)
def test_ten_thousand_signals_lose_none(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.stopped)
def test_a_stopped_launcher_loses_nothing(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.to_the_launcher)
def test_the_program_cannot_signal_the_launcher_or_its_caller(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.many)
def test_two_hundred_launches_at_once_each_die_of_their_sigterm(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)
