"""Moments: a signal at any time of a launch does what it does to the bare program, and the end comes at the program's end."""

import os
import random
import signal
import statistics
import threading
import time
from collections.abc import Callable
from functools import cache

from .measure import (
    Ended,
    HungError,
    Launcher,
    Measure,
    Process,
    children,
    default_signals,
    descendants,
    signals_in,
    status_of,
    words_of,
)
from .rows import Check, judged, row, unasked
from .rows_exits import SIGNALS
from .talk import Talk

WAITS = ["sh", "-c", "echo ready; read word; exit 7"]
PROMPT = (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1, 40)  # deadly, and nothing that a language's start-up would touch
HARMLESS = (
    17,
    18,
    19,
    20,
    21,
    22,
    23,
    28,
)  # what ends nobody by default: CHLD, CONT, URG, WINCH, and stops, which are continued
OF_PYTHON = {signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ}
STARTING = "Python starts, which has these signals under a rule of its own until the first line of a program runs"


def executed(pid: int) -> bool:
    """Whether the program runs below the launcher."""
    return any(words_of(child).startswith(b"sh\0-c\0echo") for child in descendants(pid))


def childless(pid: int) -> bool:
    return not children(pid)


def unexecuted(pid: int) -> bool:
    return bool(children(pid)) and not executed(pid)


MOMENTS: dict[str, Callable[[int], bool]] = {"before the child exists": childless, "between clone and exec": unexecuted}


@row("S14", [f"{moment}, {number}" for moment in MOMENTS for number in PROMPT])
def early(measure: Measure, case: str) -> Check:
    """A signal before the program runs ends the launch as it would have ended the program."""
    moment, _, name = case.rpartition(", ")
    number, holds, ends = int(name), MOMENTS[moment], []
    for turn in range(200):
        running = measure.start(measure.launcher.command(WAITS))
        began = time.monotonic()
        while not (sent := holds(running.pid)) and not executed(running.pid) and running.poll() is None:
            if time.monotonic() - began > measure.patience:
                break  # it never is at that moment
        assert running.stdin is not None
        hold = running.stdin
        running.stdin = None  # the program waits for the end of its input, and does not get it before the signal
        if sent:
            running.send_signal(number)
            sent = not executed(running.pid)
        else:
            hold.close()
        ended = measure.ended(running)
        hold.close()
        if sent:
            ends.append(ended)
        if len(ends) == measure.fewer(5, 4):
            return judged(case, {-number}, {ended.status for ended in ends}, repr(ends))
        if turn == 20 and not ends:
            break
    return unasked(case, f"of {turn} launches {len(ends)} were seen at that moment")


@row("S14", (1, 2, 10, 13, 15, 17, 18, 20, 34, 64))
def unreaped(measure: Measure, case: str) -> Check:
    """A signal after the program's end, and before the launcher has taken note of it, changes nothing."""
    number = int(case)
    talk = Talk(measure, measure.launcher.command(WAITS)).ready()
    os.kill(talk.pid, signal.SIGSTOP)
    assert measure.until(lambda: status_of(talk.pid).get("State", "Z")[0] in "TZ"), "it did not stop"
    program = next((pid for pid in descendants(talk.pid) if words_of(pid).startswith(b"sh\0")), 0)
    talk.input.close()
    if not program:
        os.kill(talk.pid, signal.SIGKILL)
        return unasked(case, "the program is not below the launcher")
    assert measure.until(lambda: status_of(program).get("State", "Z")[0] == "Z"), "the program did not end"
    os.kill(talk.pid, number)
    os.kill(talk.pid, signal.SIGCONT)
    return judged(case, 7, talk.end())


def in_python(pid: int) -> bool:
    """Whether a launcher is where Python has put SIGPIPE and SIGXFSZ aside, and nothing of the launcher's has run yet."""
    status = status_of(pid)
    if "SigIgn" not in status:
        return False
    return {signal.SIGPIPE, signal.SIGXFSZ} <= signals_in(status["SigIgn"]) - signals_in(status["SigBlk"])


@cache
def duration(measure: Measure) -> float:
    """Seconds that a launch takes from its exec to its end; looked at once per worker."""
    took = []
    for _ in range(3):
        running = measure.start(measure.launcher.command(WAITS))
        began = time.monotonic()
        measure.ended(running)
        took.append(time.monotonic() - began)
    return statistics.median(took)


def struck(measure: Measure, running: Process, number: int, moment: float, waits: bool, deadly: bool) -> tuple[Ended, bool]:
    """How a launch ended that got `number` after `moment` seconds, and whether Python was starting then.

    `waits`: the program waits for the end of its input, which never comes if the signal is `deadly`, and else after it.
    If it does not wait it may have ended before.
    """
    assert running.stdin is not None
    hold = running.stdin
    running.stdin = None
    if not waits:
        hold.close()
    time.sleep(moment)
    excused = number in OF_PYTHON and in_python(running.pid)
    running.send_signal(number)
    excused = excused or (number in OF_PYTHON and in_python(running.pid))
    if number in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
        running.send_signal(signal.SIGCONT)
    if not deadly or excused:
        hold.close()
    try:
        return measure.ended(running), excused
    finally:
        hold.close()


@row("S14", SIGNALS)
def pairs(measure: Measure, case: str) -> Check:
    """At random moments of a launch, from its exec to its end, each signal has the effect that it has bare."""
    number = int(case)
    chance = random.Random(f"{measure.seed} {number}")
    deadly = number not in HARMLESS
    bare = measure.start(WAITS)
    assert bare.stdout is not None
    assert bare.stdout.readline() == b"ready\n"
    expected = struck(measure, bare, number, 0, True, deadly)[0].status
    whole, wrong, excused = duration(measure), [], 0
    count = -(-measure.pairs // len(SIGNALS))
    for turn in range(count):
        waits, moment = chance.random() < 0.5, chance.random() * whole * 1.1
        running = measure.start(measure.launcher.command(WAITS))
        try:
            ended, in_window = struck(measure, running, number, moment, waits, deadly)
        except HungError as error:
            wrong.append(f"turn {turn}, {moment * 1000:.1f} ms: {error}")
            if len(wrong) == 3:
                break  # each costs the whole of its time limit
            continue
        allowed = {expected} if waits else {expected, 7}
        if ended.status in allowed and not ended.err and (ended.status != 7 or ended.out == b"ready\n"):
            continue
        if in_window:
            excused += 1
        else:
            wrong.append(
                f"turn {turn}, {'waiting' if waits else 'ending'}, {moment * 1000:.1f} of {whole * 1000:.1f} ms: {ended!r}"
            )
    note = f"seed {measure.seed}, {count} moments of {whole * 1000:.1f} ms"
    return judged(case, [], wrong, note + (f"; {excused} of them while {STARTING}" if excused else ""))


@row("S17", ("a thread",))
def thread(measure: Measure, case: str) -> Check:
    """Started by a thread that has ended, it lives on and ends as the program does."""
    started: list[Process] = []

    def start() -> None:
        started.append(measure.start(measure.launcher.command(WAITS)))
        assert started[0].stdout is not None
        started[0].stdout.read(1)

    caller = threading.Thread(target=start)
    with default_signals():
        caller.start()
        caller.join()
    ended = measure.ended(started[0])
    return judged(case, Ended(7, b"eady\n"), ended)


RUNS = 300
LATE = 0.020  # seconds


@row("S32", ("p99",), alone=True)
def prompt(measure: Measure, case: str) -> Check:
    """From the program's end to the launcher's it takes less than 20 ms, in 99 of 100 runs. (A guest makes fewer.)

    A busy machine delays anything now and then, the bare program too. So both get the processor before others do, what counts
    is how much later the launcher is, and the best of five rounds: a launcher that is late is late in each.
    """
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    try:
        return lateness(measure, case)
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def lateness(measure: Measure, case: str) -> Check:
    runs = measure.fewer(RUNS, 10)
    program = ["date", "+%s%N"]

    def late_by(launcher: Launcher | None) -> float:
        ended = measure.run(launcher.command(program) if launcher else program)
        return time.time() - int(ended.out) / 1e9

    told = []
    for _ in range(5):
        late: dict[bool, list[float]] = {False: [], True: []}
        for _ in range(runs):
            late[False].append(late_by(None))
            late[True].append(late_by(measure.launcher))
        bare, launched = (sorted(values)[round(0.99 * runs) - 1] for values in (late[False], late[True]))
        medians = [statistics.median(values) * 1000 for values in (late[False], late[True])]
        told.append(
            f"of {runs} runs bare p99 {bare * 1000:.1f} ms, median {medians[0]:.1f}; "
            f"launched p99 {launched * 1000:.1f} ms, median {medians[1]:.1f}"
        )
        if launched - bare < LATE * measure.patience:
            return judged(case, True, True, told[-1])
    return judged(case, f"p99 less than {LATE * 1000 * measure.patience:g} ms after the bare program's", told)
