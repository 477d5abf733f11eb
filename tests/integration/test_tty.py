"""`--tty`: a terminal of the program's own, without any other, with pipes, and under the caller's."""

import signal

import pytest

from tests.integration.harness.host import Host
from tests.integration.harness.lent import zipped
from tests.integration.harness.running import Finished
from tests.integration.harness.yardstick import lend


def at_no_terminal(host: Host, rootfs: str, script: str, *options: str, within: float = 20) -> Finished:
    """As cron starts it: a session without a terminal, and nothing to read."""
    words = ("--chroot", rootfs, "--tty", *options, "--", "sh", "-c", script)
    return host.finish("sh", "-c", 'exec "$@" </dev/null', "sh", host.contain_path, *words, within=within)


def test_under_cron_the_program_has_a_terminal(host: Host, rootfs: str) -> None:
    script = "tty; for n in 0 1 2; do [ -t $n ] && echo $n; done; echo word >&2; : </dev/tty && echo controlling"
    ran = at_no_terminal(host, rootfs, script)
    assert ran.stdout == b"/dev/pts/0\r\n0\r\n1\r\n2\r\nword\r\ncontrolling\r\n"
    assert (ran.status, ran.stderr) == (0, b"")


def test_the_program_leads_a_session_in_the_foreground_of_its_terminal(host: Host, rootfs: str) -> None:
    """Fields of /proc/PID/stat: pid, process group, session, terminal (136:0), foreground group."""
    ran = at_no_terminal(host, rootfs, 'cut -d" " -f 1,5,6,7,8 /proc/$$/stat')
    assert ran.text.split() == ["2", "2", "2", str(136 << 8), "2"]


@pytest.mark.parametrize(("end", "status"), [("exit 0", 0), ("exit 3", 3), ("kill -TERM $$", -15), ("kill -KILL $$", -9)])
def test_the_end_is_the_programs(host: Host, rootfs: str, end: str, status: int) -> None:
    assert at_no_terminal(host, rootfs, end).status == status


def test_signals_to_the_launcher_go_to_the_program(host: Host, rootfs: str) -> None:
    names = ("TERM", "INT", "HUP", "QUIT", "USR1", "ALRM", "WINCH", "CONT", "PIPE", "USR2")
    traps = "".join(f"trap 'echo got {name}.' {name}; " for name in names) + "trap 'echo got USR2.; exit 4' USR2;"
    running = host.contain("--chroot", rootfs, "--tty", "--", "sh", "-c", f"{traps} echo on; while :; do sleep 0.05; done")
    running.wait_for("on")
    for name in names:
        running.signal(name)
        running.wait_for(f"got {name}.")
    assert running.finished().status == 4
    assert all(running.stdout.count(f"got {name}.".encode()) == 1 for name in names)


def test_input_is_typed_and_its_end_is_an_end_of_file_for_every_reader(host: Host, rootfs: str) -> None:
    words = ("--chroot", rootfs, "--tty", "--", "sh", "-c", "cat; cat; echo end")
    running = host.contain(*words)
    running.write("word\n")
    running.wait_for("word\r\nword\r\n").close_stdin()
    assert running.finished().stdout == b"word\r\nword\r\nend\r\n"


def test_a_line_without_its_end_is_read_too(host: Host, rootfs: str) -> None:
    script = "stty -echo; echo on; cat; echo; echo end"
    running = host.contain("--chroot", rootfs, "--tty", "--", "sh", "-c", script).wait_for("on")
    running.write("half")
    running.close_stdin()
    assert running.finished().stdout == b"on\r\nhalf\r\nend\r\n"


def test_long_input_arrives_whole(host: Host, rootfs: str) -> None:
    script = 'seq 30000 | "$@"'
    words = ("--chroot", rootfs, "--tty", "--", "sh", "-c", "stty -echo; echo; sha256sum")
    bare = host.shell("seq 30000 | sha256sum").line
    ran = host.shell(script, host.contain_path, *words, within=60)
    assert ran.lines[-1] == bare


def test_a_shell_that_edits_lines_ends_with_its_input(host: Host, host_tree: tuple[str, ...]) -> None:
    """It turns the terminal's line editing off before it reads, which makes a NUL of an end of file that is typed already."""
    script = 'printf "echo \\$((6 * 7))\\n" | "$@"'
    words = (*host_tree, "--tty", "--", "bash", "--norc", "-i")
    assert "42" in host.shell(script, host.contain_path, *words, within=30).text.splitlines()


def test_a_gigabyte_passes(host: Host, rootfs: str) -> None:
    """On a guest under emulation a 64th of it."""
    size = 1 << (30 if host.patience == 1 else 24)
    script = '"$@" </dev/null | wc -c'
    words = ("--chroot", rootfs, "--tty", "--", "head", "-c", str(size), "/dev/zero")
    assert int(host.shell(script, host.contain_path, *words, within=150).line) == size


def test_all_that_was_said_before_the_end_is_there(host: Host, rootfs: str) -> None:
    """Many times: what is on its way through the kernel when the program ends is waited for."""
    rounds = host.rounds(20)
    script = f'for i in $(seq {rounds}); do "$@" </dev/null | cksum; done | sort -u; printf "%s\\r\\n" $(seq 3000) | cksum'
    ran = host.shell(script, host.contain_path, "--chroot", rootfs, "--tty", "--", "seq", "3000", within=60)
    told, wanted = ran.lines
    assert told == wanted


def test_a_closed_pipe_hangs_the_terminal_up(host: Host, rootfs: str) -> None:
    script = '{ "$@" </dev/null; echo $? >&2; } | head -n 1'
    words = (host.contain_path, "--chroot", rootfs, "--tty", "--")
    ran = host.shell(script, *words, "yes")
    assert (ran.text, ran.errors.split()[-1]) == ("y\r\n", str(128 + signal.SIGHUP)), ran
    handled = host.shell(script, *words, "sh", "-c", "trap 'exit 6' HUP; while :; do echo y; done 2>/dev/null")
    assert handled.errors.split()[-1] == "6", handled


@pytest.mark.parametrize(
    "case",
    [
        "signals_pass_while_it_is_stuck",
        "nothing_is_lost_however_late_it_is_taken",
        "a_socket_is_written_to_as_well",
        "a_vanished_socket_hangs_the_terminal_up",
        "a_terminal_that_the_program_has_closed_costs_nothing",
    ],
)
def test_whatever_standard_output_does(host: Host, rootfs: str, case: str) -> None:
    assert host.drive("stuck_output.py", rootfs, case) == []


def test_a_closed_terminal_can_be_opened_again(host: Host, rootfs: str) -> None:
    ran = at_no_terminal(host, rootfs, "exec <&- >&- 2>&-; exec >/dev/tty; echo again")
    assert ran.stdout == b"again\r\n"


def test_the_terminal_belongs_to_the_user(host: Host, rootfs: str) -> None:
    script = 'stat -c "%u:%g:%a" /dev/pts/0; : </dev/pts/0 && : </dev/tty && echo opened'
    assert at_no_terminal(host, rootfs, script, "--user", "1000").text.split() == ["1000:5:620", "opened"]


def test_more_terminals_can_be_opened_inside(host: Host, host_tree: tuple[str, ...]) -> None:
    script = "import os; main, other = os.openpty(); print(os.ttyname(0), os.ttyname(other))"
    ran = host.contained(*host_tree, "--tty", "--", "/usr/bin/python3", "-IS", "-c", script)
    assert ran.text.split() == ["/dev/pts/0", "/dev/pts/1"]


@pytest.mark.parametrize(("options", "kind"), [((), "vt220"), (("--env", "TERM=dumb"), "dumb"), (("--env-all",), "vt220")])
def test_the_kind_of_terminal_is_passed_on(host: Host, rootfs: str, options: tuple[str, ...], kind: str) -> None:
    words = ("--chroot", rootfs, "--tty", *options, "--", "sh", "-c", "echo $TERM")
    assert host.contained(*words, env={"TERM": "vt220"}).line == kind


def test_explain_tells_who_opens_the_terminal(host: Host, rootfs: str) -> None:
    told = host.run(host.contain_path, "explain", "--chroot", rootfs, "--tty", "--", "sh").lines
    assert any("open DEVPTS/ptmx" in line for line in told)
    assert any(line.startswith("setsid --ctty") for line in told)
    assert any("DEVPTS on pts" in line for line in told)


SCENARIOS = (
    "modes_are_raw_meanwhile_and_restored_at_every_end",
    "keys_are_the_inner_terminals",
    "inner_jobs_stop_and_the_launcher_stays",
    "window_is_copied_at_the_start_and_told_once",
    "modes_are_copied_at_the_start",
    "in_the_background_it_stops_until_it_is_in_the_foreground",
    "stopped_from_outside_it_is_raw_again_after_fg",
    "keys_of_a_terminal_that_is_not_its_input",
    "hang_up_ends_it",
    "nothing_of_the_callers_terminal_is_inside",
)


@pytest.fixture(scope="module")
def sessions(host: Host) -> str:
    """The folder in which the driver finds the yardstick's sessions, and those find pexpect."""
    host.put(f"{lend(host)}/lent.zip", zipped())
    return host.folder


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_under_the_callers_terminal(host: Host, sessions: str, scenario: str) -> None:
    assert host.drive("own_terminal.py", sessions, str(host.patience), scenario) == []
