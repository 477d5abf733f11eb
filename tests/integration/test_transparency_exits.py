"""How a program ends, the launcher ends: each status, each signal, and each reason not to start."""

import pytest

from tests.integration.harness.host import Host
from tests.integration.harness.yardstick import Answers, Case, each_case
from tests.integration.yardstick import rows_exits as rows


@pytest.fixture(scope="module")
def yardstick(host: Host, request: pytest.FixtureRequest) -> Answers:
    return Answers.to_selected(host, request)


@each_case(rows.exit_statuses)
def test_the_exit_status_is_the_programs(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.deaths)
def test_the_launcher_dies_of_the_signal_the_program_died_of(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.core_dumps)
def test_the_program_may_dump_core_and_the_launcher_never_does(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.kills)
def test_status_137_and_sigkill_and_the_memory_limit_are_told_apart(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.own_signals)
def test_a_signal_the_program_sends_itself_does_what_it_does_bare(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.failures)
def test_statuses_125_to_127_tell_whose_failure_it_was(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.refusals)
def test_what_the_kernel_refuses_is_told_with_its_reason(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)
