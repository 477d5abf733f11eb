"""What a program inherits is its caller's: limits, priorities, signals, arguments, environment."""

import pytest

from tests.integration.harness.host import Host
from tests.integration.harness.yardstick import Answers, Case, each_case
from tests.integration.yardstick import rows_inheritance as rows


@pytest.fixture(scope="module")
def yardstick(host: Host, request: pytest.FixtureRequest) -> Answers:
    return Answers.to_selected(host, request)


@each_case(rows.inherited)
def test_attributes_of_the_process_are_the_callers(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.timer)
def test_a_timer_of_the_callers_runs_on(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.directory)
def test_the_start_is_in_the_root_or_where_workdir_says(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.dispositions)
def test_what_the_caller_ignores_or_blocks_is_so_inside(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.callers)
def test_an_odd_caller_gets_the_right_status(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.first)
def test_as_process_1_it_ends_with_the_programs_status(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.environments)
def test_the_environment_arrives_byte_for_byte(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.arguments)
def test_arguments_arrive_byte_for_byte(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)
