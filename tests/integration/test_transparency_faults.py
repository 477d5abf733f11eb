"""What is left: nothing, whoever is killed and whatever the program leaves or calls for."""

import pytest

from tests.integration.harness.host import Host
from tests.integration.harness.yardstick import Answers, Case, each_case
from tests.integration.yardstick import rows_faults as rows


@pytest.fixture(scope="module")
def yardstick(host: Host, request: pytest.FixtureRequest) -> Answers:
    return Answers.to_selected(host, request)


@each_case(rows.killed)
def test_a_sigkill_ends_everything_within_a_second(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.left_behind)
def test_children_left_behind_end_with_the_program(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.orphans)
def test_orphans_are_reaped(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.traced)
def test_a_program_that_asks_to_be_traced_is_let_go(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.relatives)
def test_no_child_of_the_program_is_taken_for_it(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)
