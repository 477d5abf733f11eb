"""On a terminal a launched program can't be told from the bare one: keys, job control, window, hang-up, modes, groups."""

import pytest

from tests.integration.harness.host import Host
from tests.integration.harness.lent import zipped
from tests.integration.harness.yardstick import Answers
from tests.integration.yardstick import rows_terminal as rows
from tests.integration.yardstick.sessions import SHELLS

GROUP = (
    rows.interrupts, rows.interrupt_kills, rows.quits, rows.quit_kills, rows.hang_up_leaves_nothing, rows.hang_up_is_heard_once,
    rows.stops_and_goes_on, rows.stopped_again_at_once, rows.goes_on_in_the_background, rows.stops_by_itself,
    rows.stop_signal_to_the_launcher, rows.background_reader_stops, rows.background_writer_stops,
    rows.inner_shell_has_job_control, rows.terminal_is_back_after_a_kill, rows.window_changes_are_told_once,
    rows.modes_and_flags_are_as_the_program_leaves_them,
    rows.output_is_the_same_to_the_byte, rows.session_and_group_are_the_callers, rows.session_and_group_as_seen_inside,
    rows.group_without_a_terminal,
)  # fmt: skip


@pytest.fixture(scope="module")
def yardstick(host: Host) -> Answers:
    host.run("mkdir", "-p", f"{host.folder}/yardstick")
    host.put(f"{host.folder}/yardstick/lent.zip", zipped())
    return Answers(host, GROUP)


@pytest.mark.parametrize("shell", SHELLS)
def test_interrupt_key_is_heard_once(yardstick: Answers, shell: str) -> None:
    yardstick.holds(rows.interrupts, shell)


@pytest.mark.parametrize("shell", SHELLS)
def test_interrupt_key_ends_a_program_that_does_not_handle_it(yardstick: Answers, shell: str) -> None:
    yardstick.holds(rows.interrupt_kills, shell)


@pytest.mark.parametrize("shell", SHELLS)
def test_quit_key_is_heard_once(yardstick: Answers, shell: str) -> None:
    yardstick.holds(rows.quits, shell)


@pytest.mark.parametrize("shell", SHELLS)
def test_quit_key_ends_a_program_that_does_not_handle_it(yardstick: Answers, shell: str) -> None:
    yardstick.holds(rows.quit_kills, shell)


@pytest.mark.parametrize("shell", SHELLS)
def test_hang_up_leaves_nothing(yardstick: Answers, shell: str) -> None:
    yardstick.holds(rows.hang_up_leaves_nothing, shell)


def test_hang_up_is_heard_once(yardstick: Answers) -> None:
    yardstick.holds(rows.hang_up_is_heard_once)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_job_stops_and_goes_on_in_the_foreground(yardstick: Answers, shell: str) -> None:
    yardstick.holds(rows.stops_and_goes_on, shell)


def test_a_stop_right_after_a_continue_is_not_lost(yardstick: Answers) -> None:
    yardstick.holds(rows.stopped_again_at_once)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_job_goes_on_in_the_background(yardstick: Answers, shell: str) -> None:
    yardstick.holds(rows.goes_on_in_the_background, shell)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_program_that_stops_itself_stops_the_job(yardstick: Answers, shell: str) -> None:
    yardstick.holds(rows.stops_by_itself, shell)


@pytest.mark.parametrize("name", rows.ALONE)
def test_a_stop_signal_to_the_launcher_alone_stops_the_job(yardstick: Answers, name: str) -> None:
    yardstick.holds(rows.stop_signal_to_the_launcher, name)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_background_job_that_reads_the_terminal_stops(yardstick: Answers, shell: str) -> None:
    yardstick.holds(rows.background_reader_stops, shell)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_background_job_that_writes_under_tostop_stops(yardstick: Answers, shell: str) -> None:
    yardstick.holds(rows.background_writer_stops, shell)


@pytest.mark.parametrize("shell", SHELLS)
def test_an_inner_shell_has_job_control_and_gives_the_terminal_back(yardstick: Answers, shell: str) -> None:
    yardstick.holds(rows.inner_shell_has_job_control, shell)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_terminal_is_back_after_an_inner_shell_was_killed(yardstick: Answers, shell: str) -> None:
    yardstick.holds(rows.terminal_is_back_after_a_kill, shell)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_change_of_the_window_is_told_once(yardstick: Answers, shell: str) -> None:
    yardstick.holds(rows.window_changes_are_told_once, shell)


@pytest.mark.parametrize("change", rows.CHANGES)
def test_modes_and_flags_are_as_the_program_leaves_them(yardstick: Answers, change: str) -> None:
    yardstick.holds(rows.modes_and_flags_are_as_the_program_leaves_them, change)


def test_output_is_the_same_to_the_byte(yardstick: Answers) -> None:
    yardstick.holds(rows.output_is_the_same_to_the_byte)


@pytest.mark.parametrize("shell", SHELLS)
def test_session_and_group_are_the_callers(yardstick: Answers, shell: str) -> None:
    yardstick.holds(rows.session_and_group_are_the_callers, shell)


def test_session_and_group_read_as_0_inside(yardstick: Answers) -> None:
    yardstick.holds(rows.session_and_group_as_seen_inside)


def test_without_a_terminal_the_group_is_the_programs_own(yardstick: Answers) -> None:
    yardstick.holds(rows.group_without_a_terminal)
