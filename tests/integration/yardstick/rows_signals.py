"""Signals to the launcher: each reaches the program once, with what it carries, alone and in storms."""

import json
import os
import random
import signal
from collections.abc import Callable, Iterator

from .measure import HungError, Launcher, Measure, status_of
from .rows import Check, judged, row, table
from .talk import Talk, queue

CATCHABLE = [number for number in [*range(1, 32), *range(34, 65)] if number not in (signal.SIGKILL, signal.SIGSTOP)]
STORM = 10_000
VALUE = 100_000  # what a queued signal carries, plus its number

Send = Callable[[int, int], None]


def heard(measure: Measure, launcher: Launcher | None, send: Send) -> dict[int, list[str]]:
    """What the listener says of each signal sent to its process. A launcher that dies of one is started again for the next."""
    program = measure.probe("hears.py")
    argv = launcher.command(program) if launcher else program
    said: dict[int, list[str]] = {number: [] for number in CATCHABLE}
    talk = Talk(measure, argv).ready()
    patient = 10.0

    def listen(number: int, seconds: float) -> bool:
        """Hear one line, and note it with the signal that it is about, whenever that was sent."""
        line = talk.hear(seconds).decode()
        if line:
            said[int(line.split()[0])].append(line)
        return line.startswith(f"{number} ")

    for number in [*CATCHABLE, CATCHABLE[-1]]:  # the last twice: when it is heard again all before it has been delivered
        send(talk.pid, number)
        while not (came := listen(number, patient)) and talk.rest:
            pass
        if not came:
            patient = 0.3  # it is not like that all the time: the rest goes faster
            if not talk.hear(0.05) and talk.over():
                said[number].append(f"it ended: {talk.wait()}")
                talk = Talk(measure, argv).ready()
    try:
        talk.end()
    except HungError as error:
        said[CATCHABLE[-1]].append(str(error))
    return said


def each(measure: Measure, send: Send) -> Iterator[Check]:
    bare, launched = heard(measure, None, send), heard(measure, measure.launcher, send)
    for number in CATCHABLE:
        yield judged(str(number), bare[number], launched[number], "lines: number, code, value")


@table("S06", CATCHABLE)
def each_signal(measure: Measure) -> Iterator[Check]:
    """Each of 60 signals reaches the program once."""
    yield from each(measure, os.kill)


@table("S06", CATCHABLE)
def each_queued(measure: Measure) -> Iterator[Check]:
    """Each of 60 signals sent by sigqueue reaches the program once, with its value."""
    yield from each(measure, lambda pid, number: queue(pid, number, VALUE + number))


@table("S06", CATCHABLE)
def each_to_the_group(measure: Measure) -> Iterator[Check]:
    """Each of 60 signals sent to the whole process group reaches the program once."""
    yield from each(measure, os.killpg)


def mixed(seed: int, count: int) -> list[int]:
    return random.Random(seed).choices([n for n in CATCHABLE if n not in (signal.SIGUSR2, signal.SIGCONT)], k=count)


STORMS = ("one queued signal", "all signals mixed", "one standard signal", "a short queue")


@row("S06", STORMS, alone=True)
def storms(measure: Measure, case: str) -> Check:
    """10,000 signals at once (in a guest fewer): no queued one is lost or late, no standard one is forgotten."""
    count = measure.fewer(STORM, 10)
    numbers = mixed(measure.seed, count) if case == STORMS[1] else [10 if case == STORMS[2] else 40] * count
    queued = sum(number >= 34 for number in numbers)
    program = measure.probe("hears.py", "count", str(queued))

    def few() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_SIGPENDING, (64, 64))

    def storm(launcher: Launcher | None) -> object:
        before = few if case == STORMS[3] else None
        talk = Talk(measure, launcher.command(program) if launcher else program, before=before).ready()
        try:
            for value, number in enumerate(numbers):
                if number >= 34:
                    queue(talk.pid, number, value)
                else:
                    os.kill(talk.pid, number)
            os.kill(talk.pid, signal.SIGUSR2)  # once
        except ProcessLookupError:
            return f"it ended: {talk.end()}"
        line = talk.hear(15)
        if not line:
            talk.input.close()  # something is missing: what has come is told at the end of input
            line = talk.hear(5)
        counts = {int(number): count for number, count in json.loads(line or b'{"counts": {}}')["counts"].items()}
        lost = {number for number in set(numbers) if number < 34 and number not in counts}
        rising = len(set(numbers)) > 1 or json.loads(line or b"{}").get("rising")
        came = {number: counts.get(number, 0) for number in sorted(set(numbers)) if number >= 34}
        talk.end()
        return {"lost": lost, "queued": came, "in order": rising, "the last": counts.get(signal.SIGUSR2)}

    return judged(case, storm(None), storm(measure.launcher), f"seed {measure.seed}")


@row("S10", ("SIGSTOP", "SIGSTOP, signals, SIGCONT"))
def stopped(measure: Measure, case: str) -> Check:
    """Stopping and continuing the launcher loses nothing."""
    program = measure.probe("hears.py")

    def stop(launcher: Launcher | None) -> object:
        talk = Talk(measure, launcher.command(program) if launcher else program).ready()
        os.kill(talk.pid, signal.SIGSTOP)
        assert measure.until(lambda: status_of(talk.pid).get("State", "Z")[0] in "TZ"), "it did not stop"
        if "signals" in case:
            os.kill(talk.pid, signal.SIGUSR1)
            for value in range(3):
                queue(talk.pid, 40, value)
        os.kill(talk.pid, signal.SIGCONT)
        expected = 5 if "signals" in case else 1
        lines = sorted(talk.hear(10).decode() for _ in range(expected))
        return lines, talk.end()

    return judged(case, stop(None), stop(measure.launcher))


@row("S15", ("kill 0", "the launcher's pid"))
def to_the_launcher(measure: Measure, case: str) -> Check:
    """Without a terminal nothing that the program sends reaches the launcher or its caller."""
    if case == "kill 0":
        program = ["sh", "-c", "kill -KILL 0"]
        ended = measure.run(["sh", "-c", '"$@"; echo "the caller lives, $?"', "sh", *measure.launcher.command(program)])
        return judged(case, (0, b"the caller lives, 137\n"), (ended.status, ended.out), repr(ended))
    program = ["sh", "-c", 'kill -KILL "$1" 2>/dev/null; echo "kill: $?"; exit 7', "sh"]
    words = measure.launcher.command(program)
    ended = measure.run(["sh", "-c", 'exec "$@" $$', "sh", *words])
    return judged(case, (7, b"kill: 1\n"), (ended.status, ended.out), repr(ended))


@row("S33", (200,), alone=True)
def many(measure: Measure, case: str) -> Check:
    """Of 200 launches at once (in a guest fewer) each dies of the SIGTERM that it gets."""
    count = measure.fewer(int(case), 5)
    talks = [Talk(measure, measure.launcher.command(["sh", "-c", "echo ready; exec sleep 1000"])) for _ in range(count)]
    for talk in talks:
        talk.ready()
    for talk in talks:
        os.kill(talk.pid, signal.SIGTERM)
    ends = [talk.end() for talk in talks]
    return judged(case, {-signal.SIGTERM: count}, {end: ends.count(end) for end in sorted(set(ends))})
