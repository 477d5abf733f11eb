"""How a program ends, the launcher ends: each status, each signal, and each reason not to start."""

import pytest

from tests.integration.harness.host import Host
from tests.integration.harness.yardstick import Answers
from tests.integration.yardstick import rows_exits as rows


@pytest.fixture(scope="module")
def yardstick(host: Host) -> Answers:
    return Answers(host, (rows.exit_statuses, rows.deaths))


@pytest.mark.parametrize("case", rows.exit_statuses.cases)
def test_the_exit_status_is_the_programs(yardstick: Answers, case: str) -> None:
    yardstick.holds(rows.exit_statuses, case)


@pytest.mark.parametrize("case", rows.deaths.cases)
def test_the_launcher_dies_of_the_signal_the_program_died_of(yardstick: Answers, case: str) -> None:
    yardstick.holds(rows.deaths, case)
