"""Streams and descriptors: every byte, every end, every error is the program's."""

import fcntl
import os
import select
from typing import Any

from .measure import Ended, Launcher, Measure, Word
from .rows import Check, judged, row, unasked

GIGABYTE = 1 << 30


def caller(script: str) -> tuple[str, ...]:
    """A shell that runs the command, as "$@", in the midst of a script."""
    return ("sh", "-c", script, "sh")


# What the program is, what the shell around it does, and what it is given.
STREAMS: dict[str, tuple[list[Word], str, bytes]] = {
    "stdout and stderr": (["sh", "-c", "echo out; echo err >&2"], 'exec "$@"', b""),
    "the end of input": (["sh", "-c", "cat; echo end"], 'exec "$@"', b"word\n"),
    "every byte there is": (["cat"], 'exec "$@"', bytes(range(256)) * 1000),
    "what the program leaves unread": (["dd", "bs=4", "count=1", "status=none"], '"$@"; cat', b"one\ntwo\n"),
    "a reader that has gone": (["yes"], '{ "$@"; echo "$?" >&2; } | head -n 1', b""),
    "/dev/full": (["sh", "-c", "echo x"], 'exec "$@" > /dev/full', b""),
    "stdout and stderr are one": (["sh", "-c", "echo out; echo err >&2; echo out"], 'exec "$@" 2>&1', b""),
    "appending": (["sh", "-c", "echo one; echo two"], 'f=$(mktemp); echo zero > $f; "$@" >> $f; cat $f; rm $f', b""),
    "input as a file": (["sh", "-c", "read line; echo $line"], '{ "$@"; cat; } < /etc/passwd', b""),
}


@row("S18", STREAMS)
def streams(measure: Measure, case: str) -> Check:
    """What is read, written, left unread or refused is as bare."""
    program, script, given = STREAMS[case]
    return measure.compare(case, program, caller=caller(script), given=given)


@row("S18", (GIGABYTE,))
def gigabyte(measure: Measure, case: str) -> Check:
    """A gigabyte passes through a pipe. (In a guest less.)"""
    size = measure.fewer(int(case), 16)
    script = 'head -c "$0" /dev/zero | "$@" | wc -c'
    ended = measure.run(["sh", "-c", script, str(size), *measure.launcher.command(["cat"])], within=60)
    return judged(case, (0, size), (ended.status, int(ended.out)))


CLOSERS = {"stdin": "exec <&-", "stdout": "exec >&-", "stderr": "exec 2>&-"}


@row("S18", CLOSERS)
def closed_early(measure: Measure, case: str) -> Check:
    """A stream that the program closes is closed for its other end, though the program lives on."""
    rule = "stderr stays open until the launcher ends, which may have something to say" if case == "stderr" else ""
    script = f"trap 'exit 7' TERM; {CLOSERS[case]}; echo ready > \"$1\"; while :; do sleep 1 & wait; done"

    def closes(launcher: Launcher | None) -> object:
        with measure.scratch() as folder:
            told = f"{folder}/told"
            os.mkfifo(told)
            program = ["sh", "-c", script, "sh", told]
            running = measure.start(launcher.command(program) if launcher else program)
            with open(told) as file:
                file.read()
            other: Any = getattr(running, case)
            poll = select.poll()
            poll.register(other, 0)  # POLLHUP and POLLERR are told in any case
            stays_open = launcher and launcher.is_contain and rule  # what is not to come need not be awaited for long
            closed = bool(poll.poll((500 if stays_open else 5000) * measure.patience))
            running.terminate()
            ended = measure.ended(running)
            return closed, ended.status

    return measure.verdict(case, closes(None), closes(measure.launcher), rule)


ENDS = ("a child left behind", "at the program's end")


@row("S18", ENDS)
def end_of_output(measure: Measure, case: str) -> Check:
    """The output ends with the program, not with what it left or with an init."""
    leave = "sleep 1000 & " if case == ENDS[0] else ""
    ended = measure.launched(["sh", "-c", f"{leave}echo done"], within=10)
    return judged(case, Ended(0, b"done\n"), ended)


CLOSED = ("<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-")


@row("S21", CLOSED)
def closed_streams(measure: Measure, case: str) -> Check:
    """Descriptors 0 to 2 that are closed at the start are /dev/null, else a file would take their numbers."""
    numbers = {"<": 0, ">": 1, "2": 2}
    look = " && ".join(f'[ "$(stat -L -c %t:%T /proc/$$/fd/{numbers[part[0]]})" = 1:3 ]' for part in case.split())
    ended = measure.run([*caller(f'exec "$@" {case}'), *measure.launcher.command(["sh", "-c", f"{look} && exit 7"])])
    return judged(case, 7, ended.status, repr(ended))


FLAGS = ("stdin", "stdout", "stderr")


@row("S18", FLAGS)
def flags(measure: Measure, case: str) -> Check:
    """O_NONBLOCK on the caller's streams is as before, for the program and afterwards for the caller."""
    number = FLAGS.index(case)
    say = 1 if number == 2 else 2

    def look(launcher: Launcher | None) -> object:
        mine, others = os.pipe2(os.O_NONBLOCK)
        try:
            program = ["sh", "-c", f"grep flags /proc/self/fdinfo/{number} >&{say}"]
            given: dict[str, Any] = {case: mine if number == 0 else others}
            ended = measure.ended(measure.start(launcher.command(program) if launcher else program, **given))
            return ended, [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in (mine, others)]
        finally:
            os.close(mine)
            os.close(others)

    return measure.verdict(case, look(None), look(measure.launcher))


DESCRIPTORS = ("closed", "--preserve-fds 2", "--preserve-fds 0")


@row("S20", DESCRIPTORS)
def descriptors(measure: Measure, case: str) -> Check:
    """Descriptors from 3 up are closed, unless they are asked to be kept."""
    options = case.split() if case != "closed" else []
    if options and not measure.launcher.is_contain:
        return unasked(case, "it has no such option")
    inside = "for n in 3 4 5 6 7 8 9; do [ ! -e /proc/$$/fd/$n ] || echo $n; done"
    script = 'exec 3</etc/hostname 4</etc/hostname 5</etc/hostname 9</; exec "$@"'
    words = measure.launcher.command(["sh", "-c", inside], options)
    return judged(case, Ended(0, b"3\n4\n" if case.endswith("2") else b""), measure.run([*caller(script), *words]))
