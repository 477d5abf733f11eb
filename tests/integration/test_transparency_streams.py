"""Streams and descriptors are the program's: every byte, every end, every error."""

import pytest

from tests.integration.harness.host import Host
from tests.integration.harness.yardstick import Answers, Case, each_case
from tests.integration.yardstick import rows_streams as rows


@pytest.fixture(scope="module")
def yardstick(host: Host, request: pytest.FixtureRequest) -> Answers:
    return Answers.to_selected(host, request)


@each_case(rows.streams)
def test_what_is_read_and_written_is_as_bare(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.gigabyte)
def test_a_gigabyte_passes_through_a_pipe(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.closed_early)
def test_a_stream_that_the_program_closes_is_closed(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.end_of_output)
def test_output_ends_with_the_program(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.flags)
def test_nonblocking_streams_stay_as_they_are(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.closed_streams)
def test_closed_streams_become_dev_null(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)


@each_case(rows.descriptors)
def test_other_descriptors_are_closed_unless_kept(yardstick: Answers, case: Case) -> None:
    yardstick.holds(*case)
