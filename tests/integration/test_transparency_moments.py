"""A signal at any moment of a launch does what it would do to the program; and the end comes at the program's end."""

import pytest

from tests.integration.harness.host import Host
from tests.integration.harness.yardstick import Answers, Case, each_case
from tests.integration.yardstick import rows_moments as rows


@pytest.fixture(scope="module")
def yardstick(host: Host, request: pytest.FixtureRequest) -> Answers:
    return Answers.to_selected(host, request)


@each_case(rows.early)
def test_a_signal_before_the_program_runs_ends_the_launch(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.unreaped)
def test_a_signal_after_the_programs_end_changes_nothing(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.pairs)
def test_a_signal_at_random_moments_does_what_it_does_bare(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.thread)
def test_a_launch_outlives_the_thread_that_started_it(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.prompt)
def test_the_launcher_ends_with_the_program(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)
