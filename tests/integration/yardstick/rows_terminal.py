"""The terminal: job control under three shells, the keys that send signals, the window, hang-up, and what is left as it was."""

import os
import random
import signal
import termios
import time

from .measure import Launcher, Measure, descendants, words_of
from .rows import Check, row, unasked
from .sessions import SHELLS, Session, alone, at_prompt, compare, in_shell, lacking

KEYS = {"INT": "\x03", "QUIT": "\x1c", "TSTP": "\x1a"}
PRESSED = 30
RUNS_ON = ("sh", "-c", "sleep 1000 & echo ready; exec sleep 1000")  # dash may lose a ^C while it forks


def key_is_heard(session: Session, name: str) -> object:
    """A key pressed often, each time when the last was heard: what the program counts, and that it ends when it wants to."""
    session.line(session.probe())
    session.wait_for("ready")
    for number in range(1, PRESSED + 1):
        session.press(KEYS[name])
        session.wait_for(rf"{name} {number}\.")
    session.line("count")
    counts = session.wait_for(r"counts: (.*)\.")
    session.line("exit 5")
    session.prompt()
    return {"counts": counts, "status": session.status(), "left": session.left()}


def key_kills(session: Session, name: str) -> object:
    """A key pressed where nothing handles it: the job is dead, the shell has the terminal, nothing is left."""
    session.shell("ulimit -c 0")
    session.line(session.command(*RUNS_ON))
    session.wait_for("ready")
    session.press(KEYS[name])
    session.prompt()
    return {"status": session.status(), "left": session.left(), "terminal": session.foreground() == session.pid}


@row("S07", SHELLS)
def interrupts(measure: Measure, shell: str) -> Check:
    """^C reaches the program once, and the launcher lives on with it."""
    return in_shell(measure, shell, lambda session: key_is_heard(session, "INT"))


@row("S07", SHELLS)
def interrupt_kills(measure: Measure, shell: str) -> Check:
    """^C ends a program that does not handle it."""
    return in_shell(measure, shell, lambda session: key_kills(session, "INT"))


@row("S08", SHELLS)
def quits(measure: Measure, shell: str) -> Check:
    r"""^\ reaches the program once, and the launcher lives on with it."""
    return in_shell(measure, shell, lambda session: key_is_heard(session, "QUIT"))


@row("S08", SHELLS)
def quit_kills(measure: Measure, shell: str) -> Check:
    r"""^\ ends a program that does not handle it."""
    return in_shell(measure, shell, lambda session: key_kills(session, "QUIT"))


@row("S08", SHELLS)
def hang_up_leaves_nothing(measure: Measure, shell: str) -> Check:
    """When the terminal is closed, all that ran on it ends."""

    def scenario(session: Session) -> object:
        session.line(session.command(*RUNS_ON))
        session.wait_for("ready")
        started = descendants(session.pid)
        session.hang_up()
        ended = all(session.settles(pid, "Z-") for pid in started)
        return {"started": bool(started), "ended": ended}

    return in_shell(measure, shell, scenario)


@row("S08")
def hang_up_is_heard_once(measure: Measure, case: str) -> Check:
    """A program on a terminal that is closed gets one SIGHUP."""
    if why := lacking():
        return unasked(case, why)
    with measure.scratch() as folder:

        def start(launcher: Launcher | None) -> Session:
            said = os.path.join(folder, "launched" if launcher else "bare")
            script = 'trap "echo HUP >>$1" HUP; trap "echo end >>$1; exit" USR1; echo ready; while :; do sleep 0.01; done 2>&-'
            program = ["sh", "-c", script, "sh", said]
            return alone(measure, program, launcher)

        def scenario(session: Session) -> object:
            said = os.path.join(folder, "launched" if session.launcher else "bare")
            session.wait_for("ready")
            session.hang_up()
            heard = measure.until(lambda: os.path.exists(said))
            os.kill(session.pid, signal.SIGUSR1)
            ended = session.settles(session.pid, "Z-")
            with open(said) as file:
                return {"heard": heard, "ended": ended, "said": file.read().split()}

        return compare(measure, case, start, scenario)


@row("S09", SHELLS)
def stops_and_goes_on(measure: Measure, shell: str) -> Check:
    """^Z stops the job and the prompt returns; fg continues it, twice."""

    def scenario(session: Session) -> object:
        session.line(session.probe())
        session.wait_for("ready")
        stopped = []
        for number in (1, 2):
            session.press(KEYS["TSTP"])
            session.prompt()
            stopped.append(session.settles(session.job(), "T"))
            session.line("fg")
            session.wait_for(rf"CONT {number}\.")
        session.line("count")
        counts = session.wait_for(r"counts: (.*)\.")
        session.line("exit 5")
        session.prompt()
        return {"stopped": stopped, "counts": counts, "status": session.status()}

    return in_shell(measure, shell, scenario)


@row("S09")
def stopped_again_at_once(measure: Measure, case: str) -> Check:
    """A job that is continued and stopped again, with next to no time between, is stopped; a thousand times over."""
    if why := lacking("bash"):
        return unasked(case, why)

    def scenario(session: Session) -> object:
        session.line(session.probe())
        session.wait_for("ready")
        job, chance = session.job(), random.Random(measure.seed)
        group = os.getpgid(job)
        named = [pid for pid in (job, *descendants(job)) if b"terminal.py" in words_of(pid)]  # launcher and program
        os.killpg(group, signal.SIGTSTP)
        for turn in range(measure.fewer(1000, 10)):
            if not all(session.settles(pid, "T") for pid in named):
                return f"seed {measure.seed}: in turn {turn} it was not stopped"
            os.killpg(group, signal.SIGCONT)
            time.sleep(chance.random() * 0.0003)
            os.killpg(group, signal.SIGTSTP)
        assert all(session.settles(pid, "T") for pid in named), "it was not stopped in the end"
        session.line("fg")
        session.line("exit 5")
        return session.status()

    return compare(measure, case, lambda launcher: at_prompt(measure, "bash", launcher), scenario)


@row("S09", SHELLS)
def goes_on_in_the_background(measure: Measure, shell: str) -> Check:
    """^Z, bg: the job runs on in the background; a signal ends it, and its status is the program's."""

    def scenario(session: Session) -> object:
        session.line(session.probe("deaf"))
        session.wait_for("ready")
        session.press(KEYS["TSTP"])
        session.prompt()
        session.line("bg")
        session.wait_for(r"CONT 1\.")
        session.line("")
        session.prompt()
        runs = session.settles(session.job(), "SR")
        session.line("kill -USR1 %1")
        session.wait_for(r"USR1 1\.")
        job = session.job()
        session.line("fg")
        measure.until(lambda: session.foreground() == job)
        os.kill(job, signal.SIGUSR2)
        session.prompt()
        return {"runs": runs, "status": session.status()}

    return in_shell(measure, shell, scenario)


@row("S09", SHELLS)
def stops_by_itself(measure: Measure, shell: str) -> Check:
    """A program that stops itself stops the job; fg continues both."""

    def scenario(session: Session) -> object:
        session.line(session.command("sh", "-c", "echo before; kill -STOP $$; echo after; exit 9"))
        session.wait_for("before")
        session.prompt()
        stopped = session.settles(session.job(), "T")
        session.line("fg")
        session.wait_for("after")
        session.prompt()
        return {"stopped": stopped, "status": session.status()}

    return in_shell(measure, shell, scenario)


ALONE = ("TSTP", "TTIN", "TTOU")  # SIGSTOP stops the launcher only: it can't be passed on, which S10 tells


@row("S09", ALONE)
def stop_signal_to_the_launcher(measure: Measure, case: str) -> Check:
    """A stop signal sent to the launcher alone stops the job; fg continues it, and it has lost nothing."""

    def scenario(session: Session) -> object:
        session.line(session.probe())
        session.wait_for("ready")
        job = session.job()
        os.kill(job, getattr(signal, f"SIG{case}"))
        session.prompt()
        stopped = session.settles(job, "T")
        session.line("fg")
        session.wait_for(r"CONT 1\.")
        session.line("exit 8")
        session.prompt()
        return {"stopped": stopped, "status": session.status()}

    found = in_shell(measure, "bash", scenario)
    found.case = case
    return found


@row("S11", SHELLS)
def background_reader_stops(measure: Measure, shell: str) -> Check:
    """A background job that reads the terminal stops (SIGTTIN); fg, and it reads."""

    def scenario(session: Session) -> object:
        session.line(session.command("cat") + " &")
        session.prompt()
        stopped = session.settles(session.job(), "T")
        session.line("fg")
        session.line("a word")
        word = session.wait_for(r"a word")
        session.press("\x04")
        session.prompt()
        return {"stopped": stopped, "read": word, "status": session.status()}

    return in_shell(measure, shell, scenario)


@row("S11", SHELLS)
def background_writer_stops(measure: Measure, shell: str) -> Check:
    """Under `stty tostop` a background job that writes stops (SIGTTOU); fg, and it writes."""

    def scenario(session: Session) -> object:
        session.shell("stty tostop")
        session.line(session.command("sh", "-c", "echo word; exit 4") + " &")
        session.prompt()
        stopped = session.settles(session.job(), "T")
        session.line("fg")
        session.wait_for("word")
        session.prompt()
        return {"stopped": stopped, "status": session.status()}

    return in_shell(measure, shell, scenario)


@row("S11", SHELLS)
def inner_shell_has_job_control(measure: Measure, shell: str) -> Check:
    """An inner `bash -i` moves the foreground about: ^Z, fg and ^C are its jobs'; at its end the terminal is given back."""

    def scenario(session: Session) -> object:
        if why := lacking("bash"):
            return why
        session.line(session.command("bash", *SHELLS["bash"]))
        session.prompt()
        session.line("PS1='@inner''@ '")
        session.wait_for("@inner@ ")
        given = session.foreground() not in (session.pid, 0)
        session.line(session.bare_probe())
        session.wait_for("ready")
        session.press(KEYS["TSTP"])
        session.wait_for("@inner@ ")
        session.line("jobs")
        stopped = session.wait_for("Stopped")
        session.line("fg")
        session.wait_for(r"CONT 1\.")
        session.press(KEYS["INT"])
        session.wait_for(r"INT 1\.")
        session.line("exit 7")
        session.wait_for("@inner@ ")
        session.line("echo inner=$?.")
        inner = session.wait_for(r"inner=(\d+)\.")
        session.line("exit 3")
        session.prompt()
        back = measure.until(lambda: session.foreground() == session.pid)
        return {"given": given, "stopped": stopped, "inner": inner, "status": session.status(), "back": back}

    return in_shell(measure, shell, scenario)


@row("S11", SHELLS)
def terminal_is_back_after_a_kill(measure: Measure, shell: str) -> Check:
    """An inner shell that is killed while its job has the foreground: the outer shell has the terminal again."""

    def scenario(session: Session) -> object:
        if why := lacking("bash"):
            return why
        session.line(session.command("bash", *SHELLS["bash"]))
        session.prompt()
        session.line("sh -c 'echo on; kill -KILL $PPID; exec sleep 1000'")
        session.wait_for("on")
        session.prompt()
        back = measure.until(lambda: session.foreground() == session.pid)
        return {"back": back, "status": session.status()}

    return in_shell(measure, shell, scenario)


@row("S12", SHELLS)
def window_changes_are_told_once(measure: Measure, shell: str) -> Check:
    """A change of the window's size is told by one SIGWINCH, and the new size is seen."""

    def scenario(session: Session) -> object:
        session.line(session.probe())
        session.wait_for("ready")
        seen = []
        for rows, columns in ((40, 100), (50, 132), (24, 80)):
            session.child.setwinsize(rows, columns)
            seen.append(session.wait_for(r"(WINCH \d+\. size \d+ \d+)\."))
        session.line("count")
        counts = session.wait_for(r"counts: (.*)\.")
        session.line("exit 0")
        session.prompt()
        session.line(session.command("stty", "size"))
        return {"seen": seen, "counts": counts, "stty size": session.wait_for(r"\d+ \d+")}

    return in_shell(measure, shell, scenario)


CHANGES = {
    "it exits": "exit 3",
    "it is killed": "kill -KILL $$",
    "it leaves the terminal raw": "stty raw -echo",
    "it leaves input without waiting": (
        "exec /usr/bin/python3 -IS -c 'import os; os.set_blocking(0, False); os.set_blocking(1, False)'"
    ),
}


@row("S19", CHANGES)
def modes_and_flags_are_as_the_program_leaves_them(measure: Measure, case: str) -> Check:
    """The terminal's modes and the flags of its descriptor are after a launch what they are after the bare program."""
    if why := lacking():
        return unasked(case, why)

    def start(launcher: Launcher | None) -> Session:
        program = ["sh", "-c", CHANGES[case]]
        words = launcher.command(program) if launcher else program
        script = 'echo ready; read x; "$@"; echo "status=$?."; kill -STOP $$'
        return Session(measure, ["/bin/sh", "-c", script, "sh", *map(os.fsdecode, words)], launcher)

    def state(session: Session) -> object:
        with open(f"/proc/{session.pid}/fdinfo/0") as file:
            flags = next(line.split()[1] for line in file if line.startswith("flags"))
        return {"modes": termios.tcgetattr(session.fd), "flags": flags}

    def scenario(session: Session) -> object:
        session.wait_for("ready")
        before = state(session)
        session.line("go")
        status = session.wait_for(r"status=(\d+)\.")
        session.settles(session.pid, "T")
        after = state(session)
        os.kill(session.pid, signal.SIGCONT)
        return {"status": status, "after": after, "as before": before == after}

    return compare(measure, case, start, scenario)


@row("S19")
def output_is_the_same_to_the_byte(measure: Measure, case: str) -> Check:
    """What appears on the terminal is the program's output and nothing else: no cursor is moved, no line is added."""
    if why := lacking():
        return unasked(case, why)
    program = ["printf", r"one\n\ttwo\033[31mred\033[0m no end of line"]

    def start(launcher: Launcher | None) -> Session:
        return alone(measure, program, launcher)

    def scenario(session: Session) -> object:
        session.child.expect(session.child.compile_pattern_list([b"no end of line"]))
        first = session.child.before
        return first, session.child.read()

    return compare(measure, case, start, scenario)


def of_proc(pid: int) -> tuple[int, int]:
    """The process group and the session of a process; proc_pid_stat(5)."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    return int(fields[2]), int(fields[3])


def the_probe(above: int) -> int:
    """The process that is the probe: the one below, or the process itself, whose first word ends in python3 and names it."""
    for pid in [above, *descendants(above)]:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
        if words[0].endswith(b"python3") and any(word.endswith(b"/probes/terminal.py") for word in words[1:4]):
            return pid
    raise AssertionError("the probe was not found")


@row("S23", SHELLS)
def session_and_group_are_the_callers(measure: Measure, shell: str) -> Check:
    """With a controlling terminal the program is in the job's process group and in the shell's session."""

    def scenario(session: Session) -> object:
        session.line(session.probe())
        session.wait_for("ready")
        job = session.job()
        group, leader = of_proc(the_probe(job))
        seen = {"in the job's group": group == job, "in the shell's session": leader == session.pid}
        session.line("exit 0")
        session.prompt()
        return seen

    return in_shell(measure, shell, scenario)


@row("S23")
def session_and_group_as_seen_inside(measure: Measure, case: str) -> Check:
    """getsid and getpgrp name processes that the program can see."""

    def scenario(session: Session) -> object:
        session.line(session.probe())
        session.wait_for("ready")
        session.line("who")
        seen = session.wait_for(r"who (\d+ \d+ \d+)\.")
        job = session.job()
        session.line("exit 0")
        session.prompt()
        return seen == f"{session.pid} {job} {job}"

    found = in_shell(measure, "bash", scenario, "processes outside of the pid namespace read as 0")
    found.case = case
    return found


@row("S23")
def group_without_a_terminal(measure: Measure, case: str) -> Check:
    """Without a controlling terminal the program is in the caller's session."""

    def observed(launcher: Launcher | None) -> object:
        program = measure.probe("terminal.py")
        running = measure.start(launcher.command(program) if launcher else program)
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        group, leader = of_proc(the_probe(running.pid))
        running.communicate(b"", 30 * measure.patience)
        return {"in the caller's session": leader == running.pid, "in the caller's group": group == running.pid}

    rule = "without a controlling terminal the program has a group of its own, so that `kill 0` inside stays inside"
    return measure.verdict(case, observed(None), observed(measure.launcher), rule)
