"""Phases of a host's life, told while they happen and drawn in the report: box build, boot, provision, snapshot, …

    with phase("bookworm", "boot") as boot:
        for line in vagrant_up():
            boot.progress(line)

The terminal then shows `bookworm: boot …`, each line behind `bookworm: `, and at the end `bookworm: boot 28 s`. Until a
plugin has said where lines go, they go to stderr, so that a script outside of pytest may use this as well.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .words import plain, seconds


def to_stderr(line: str) -> None:
    """Where lines go outside of pytest."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


@dataclass
class Phase:
    """`began` and `ended` are seconds of `time.monotonic()`, `wall` is the beginning as seconds since 1970.

    `ended` is None while the phase lasts; `reason` is empty unless the phase failed.
    """

    host: str
    what: str
    began: float = field(default_factory=time.monotonic)
    wall: float = field(default_factory=time.time)
    ended: float | None = None
    reason: str = ""
    lines: list[str] = field(default_factory=list)

    def progress(self, line: str) -> None:
        """Show a line, or several, at once, behind the name of the host; they also stand in the report.

        May be called from a thread that reads a tool's output.
        """
        for one in line.split("\n"):
            shown = plain(one)
            if shown:
                self.lines.append(shown)
                record.say(f"{self.host}: {shown}")

    @property
    def seconds(self) -> float:
        """How long it took, or has taken until now."""
        return (time.monotonic() if self.ended is None else self.ended) - self.began


class Record:
    """All phases of this process in the order of their beginning, and the facts told of each host."""

    def __init__(self) -> None:
        self.phases: list[Phase] = []
        self.facts: dict[str, dict[str, str]] = {}
        self.teller: Callable[[str], None] = to_stderr
        self.lock = threading.RLock()

    def say(self, line: str) -> None:
        """Show one line to whoever watches the run."""
        with self.lock:
            self.teller(line)


record = Record()


def fact(host_name: str, name: str, value: str) -> None:
    """Tell something of a host that the host can't be asked for, such as its accelerator: it stands in the report."""
    record.facts.setdefault(host_name, {})[name] = value


@contextmanager
def phase(host_name: str, what: str) -> Iterator[Phase]:
    """A stretch of a host's life with a name, such as `boot`; what is raised inside passes through.

    It is recorded and told on the terminal, under pytest's capture too, when it begins and when it ends.
    """
    now = Phase(host_name, what)
    record.phases.append(now)
    record.say(f"{host_name}: {what} …")
    try:
        yield now
    except BaseException as error:
        now.ended = time.monotonic()
        now.reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        record.say(f"{host_name}: {what} failed after {seconds(now.seconds)}: {plain(now.reason)}")
        raise
    now.ended = time.monotonic()
    record.say(f"{host_name}: {what} {seconds(now.seconds)}")
