"""What happened in a run, test by test and host by host, gathered from pytest's reports."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from .phases import Phase, record
from .words import first_line

CONTROLLER = "controller"  # the host of tests that ask for none
# From the worst to the best; of the reports on one test, that of its set-up, call and teardown, the worst is told.
OUTCOMES = ("failed", "error", "interrupted", "xpassed", "xfailed", "skipped", "passed")
COLUMNS = ("passed", "failed", "error", "interrupted", "skipped", "xfailed", "xpassed")  # as they are listed
BAD = ("failed", "error", "interrupted")


@dataclass
class Test:
    """One test on one host. `began` and `ended` are monotonic seconds; `ended` is None while it runs."""

    __test__: ClassVar[bool] = False  # pytest shall not collect it

    id: str
    host: str = CONTROLLER
    began: float = field(default_factory=time.monotonic)
    wall: float = field(default_factory=time.time)
    ended: float | None = None
    outcome: str = "passed"
    reason: str = ""
    parts: dict[str, float] = field(default_factory=dict)  # seconds of set-up, call and teardown
    told: dict[tuple[str, str], None] = field(default_factory=dict)  # title and text, in their order, each once

    def add(self, report: pytest.TestReport | pytest.CollectReport, category: str) -> None:
        """Take in what one report says. `category` is the word that pytest counts it under, or nothing."""
        outcome = category if category in OUTCOMES else report.outcome
        if OUTCOMES.index(outcome) < OUTCOMES.index(self.outcome):
            self.outcome, self.reason = outcome, reason(report)
        if isinstance(report, pytest.TestReport):
            self.parts[report.when] = self.parts.get(report.when, 0) + report.duration
        if report.failed or (report.longrepr and hasattr(report, "wasxfail")):
            when = getattr(report, "when", "collect")
            self.told[f"Failure in {when}" if report.failed else "Expected failure", report.longreprtext] = None
        self.told.update(dict.fromkeys(report.sections))

    @property
    def short(self) -> str:
        """Its id without what all tests of the suite have in common."""
        return self.id.removeprefix("tests/integration/")

    @property
    def seconds(self) -> float:
        """From the beginning to the end, less than which a session fixture took that this test happened to need first."""
        return (time.monotonic() if self.ended is None else self.ended) - self.began


def reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Why a test was skipped or failed, in one line."""
    if isinstance(report.longrepr, tuple):  # skipped: file, line, words
        return first_line(report.longrepr[2].removeprefix("Skipped: "))
    if hasattr(report, "wasxfail"):
        return first_line(report.wasxfail.removeprefix("reason: ")) or "expected to fail"
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        return first_line(crash.message)
    lines = [line for line in report.longreprtext.splitlines() if line.strip()]
    if isinstance(report, pytest.CollectReport):  # a traceback without its crash: the last line tells
        return first_line(lines[-1].removeprefix("E  ")) if lines else ""
    return first_line(report.longreprtext)


def union(spans: Iterable[tuple[float, float]]) -> float:
    """Seconds that the spans cover together."""
    covered, until = 0.0, float("-inf")
    for begin, end in sorted(spans):
        covered += max(0.0, end - max(begin, until))
        until = max(until, end)
    return covered


class Run:
    """All tests of a session; `hosts` tells for each collected test, by its id, where it is to run."""

    def __init__(self) -> None:
        self.began, self.wall = time.monotonic(), time.time()
        self.ended: float | None = None
        self.hosts: dict[str, str] = {}
        self.tests: dict[str, Test] = {}
        self.running: Test | None = None
        self.early_end = ""  # why not all tests ran, if pytest told
        self.status = ""

    def start(self, test_id: str) -> Test:
        self.running = self.tests[test_id] = Test(test_id, self.hosts.get(test_id, CONTROLLER))
        return self.running

    def stop(self) -> None:
        if self.running:
            self.running.ended = time.monotonic()
        self.running = None

    def add(self, report: pytest.TestReport, category: str) -> None:
        test = self.tests.get(report.nodeid) or self.start(report.nodeid)
        test.add(report, category)
        if report.when == "setup":  # a boot in a session's fixture is the host's time and no test's
            ends = [phase.ended for phase in record.phases if phase.host == test.host and phase.began >= test.began]
            test.began = max([test.began, *(end for end in ends if end is not None)])

    def add_collected(self, report: pytest.CollectReport) -> None:
        """A file that could not be read, or that said it is to be skipped."""
        test = Test(report.nodeid or "(collection)", ended=time.monotonic())
        test.add(report, "error" if report.failed else "skipped")
        self.tests[f"{test.id} (collection)"] = test

    def end(self) -> None:
        """No more reports will come."""
        if self.running:
            self.running.outcome = "interrupted"
            self.running.reason = self.early_end
            self.stop()
        self.ended = time.monotonic()

    @property
    def names(self) -> list[str]:
        """The hosts in the order of their first appearance."""
        used = [phase.host for phase in record.phases], [test.host for test in self.tests.values()], self.hosts.values()
        return list(dict.fromkeys(name for names in used for name in names))

    @property
    def not_run(self) -> Counter[str]:
        """Collected tests that never began, counted by host."""
        return Counter(host for test_id, host in self.hosts.items() if test_id not in self.tests)

    @property
    def seconds(self) -> float:
        return (time.monotonic() if self.ended is None else self.ended) - self.began

    def on(self, host: str) -> list[Test]:
        return [test for test in self.tests.values() if test.host == host]

    def counts(self, host: str | None = None) -> Counter[str]:
        """Tests by outcome, on one host or on all."""
        return Counter(test.outcome for test in self.tests.values() if host in (None, test.host))

    def busy(self, host: str) -> float:
        """Seconds in which something happened on the host."""
        happened: list[Test | Phase] = [*self.on(host), *(phase for phase in record.phases if phase.host == host)]
        return union((one.began, one.began + one.seconds) for one in happened)
