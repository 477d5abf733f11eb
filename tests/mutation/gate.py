"""The gate: one session of pytest in which each test runs with the sound launcher and with those that it must notice.

A plugin multiplies the tests that mutants name: first all of them run with the launcher as it is, and must pass; then each
runs with the broken launchers that name it, and must be red. Red is an assertion that fails in the test itself, or in the
check for residue after it. An error of the harness, or a failure in a fixture before the test, proves nothing and is an error
of the gate's, as is a broken launcher that starts no program at all. So is a survivor: a test that passes.
"""

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pytest

from .launcher import Launcher
from .mutants import Mutant, sources

GATE = pytest.StashKey["Gate"]()
SOUND = "sound"
LONGEST = 110
FOLDER = re.compile(r"/root/contain-test\.\w+/")
RED = (AssertionError, pytest.fail.Exception)
Status = tuple[str, str, str | tuple[str, dict[str, bool]]]


@dataclass
class Verdict:
    """What came of one test with one broken launcher: `red` is why it was; empty while it was not. `wrong`: no proof."""

    mutant: Mutant
    host: str
    test: str
    red: str = ""
    wrong: str = ""
    seconds: float = 0.0


def parameters(item: pytest.Item) -> dict[str, Any]:
    """What the test is run with: host, launcher and its own."""
    assert isinstance(item, pytest.Function)
    return item.callspec.params


def launcher_of(item: pytest.Item) -> str:
    """The name of the launcher that the test is to run with."""
    mutant: Mutant | None = parameters(item)["launcher"]
    return mutant.name if mutant else SOUND


def case_of(item: pytest.Item) -> tuple[str, str]:
    """A test's name as the table has it, with its own case and without it."""
    assert isinstance(item, pytest.Function)
    plain = f"{item.path.name}::{item.originalname}"
    words = item.callspec.id.removeprefix(f"{item.callspec.params['host']}-")
    own = words.removesuffix(launcher_of(item)).removesuffix("-")
    return f"{plain}[{own}]", plain


def reason(error: BaseException) -> str:
    """The first words that say what was wrong, in one line; without the folder that is another in each session."""
    lines = [FOLDER.sub("", line).strip() for line in str(error).splitlines()]
    said = [line for line in lines if line and not line.startswith("left behind on")]
    return " ".join(said[:3])[:LONGEST] or type(error).__name__


class Gate:
    """The plugin. `patience` bounds the host's: a launcher that hangs is waited for that many times as long as a fast one."""

    def __init__(self, mutants: Sequence[Mutant], patience: float) -> None:
        """Raises OutdatedError: what can't be made must not be found out half-way, nor a source change meanwhile."""
        self.mutants, self.patience, self.sources = mutants, patience, sources()
        for mutant in mutants:
            mutant.apply(self.sources)
        self.verdicts: dict[str, Verdict] = {}
        self.words: dict[tuple[str, str | None], str | None] = {}
        self.copied: Launcher | None = None
        self.unsound = False

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[GATE] = self

    # -- which tests run with which launchers ---------------------------------------------------------------------------

    @pytest.hookimpl(trylast=True)
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "launcher" in metafunc.fixturenames and "host" in metafunc.fixturenames:
            plain = f"{metafunc.definition.path.name}::{metafunc.definition.name}"
            mine = [m for m in self.mutants if any(test.partition("[")[0] == plain for test in m.tests)]
            names = [SOUND, *(mutant.name for mutant in mine)]
            metafunc.parametrize("launcher", [None, *mine], indirect=True, scope="session", ids=names)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Keep what the table names, host by host and launcher by launcher. A name without a test is a mistake."""
        named: dict[str, set[str]] = {mutant.name: set(mutant.tests) for mutant in self.mutants}
        named[SOUND] = set().union(*named.values())
        order = {name: place for place, name in enumerate([SOUND, *(mutant.name for mutant in self.mutants)])}
        kept, met = [], set()
        for item in items:
            names = {*case_of(item)} & named[launcher_of(item)] if "launcher" in getattr(item, "fixturenames", ()) else set()
            if names:
                met |= names
                kept.append(item)
        if unmet := sorted(named[SOUND] - met):
            raise pytest.UsageError(f"the table names tests that are not there: {', '.join(unmet)}")
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        hosts = list(dict.fromkeys(parameters(item)["host"] for item in kept))
        kept.sort(key=lambda item: (hosts.index(parameters(item)["host"]), order[launcher_of(item)]))
        items[:] = kept

    # -- one test after the other ---------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Before pytest's own: once the test's fixtures have gone, sweep up after a broken launcher while the host is there.

        After a launcher's last test the module's fixtures go as well: what they know of it is nothing for the next one.
        """
        stays = nextitem if nextitem is not None and launcher_of(item) == launcher_of(nextitem) else item.session
        try:
            item.session._setupstate.teardown_exact(cast(pytest.Item, stays))
        finally:
            if self.copied is not None and self.copied.mutant is not None:
                self.copied.sweep()
        if self.unsound and stays is item.session:
            item.session.shouldfail = "the tests fail with the sound launcher"

    # -- the verdict ----------------------------------------------------------------------------------------------------

    def verdict(self, item: pytest.Item) -> Verdict | None:
        """The place for what comes of a test with a broken launcher; None with the sound one."""
        mutant: Mutant | None = parameters(item)["launcher"]
        if mutant is None:
            return None
        own, plain = case_of(item)
        test = own if own in mutant.tests else plain
        return self.verdicts.setdefault(item.nodeid, Verdict(mutant, parameters(item)["host"], test))

    @pytest.hookimpl(wrapper=True, trylast=True)  # the innermost: what others see is the gate's verdict
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        verdict = self.verdict(item)
        if verdict is None:
            self.unsound |= report.failed
            return report
        verdict.seconds += call.duration
        error = call.excinfo.value if call.excinfo else None
        if error is not None:
            if call.when != "setup" and isinstance(error, RED):
                verdict.red = verdict.red or reason(error)
                report.outcome, report.longrepr = "passed", None
            else:
                verdict.wrong = f"{call.when}: {reason(error)}"
                report.outcome = "failed"
                report.longrepr = report.longrepr if call.when != "setup" else str(report.longrepr)
        if call.when == "teardown" and not verdict.red and not verdict.wrong:
            report.outcome = "failed"
            report.longrepr = f"{verdict.test} passed with a launcher that is broken: {verdict.mutant.broken}"
        self.words[item.nodeid, report.when] = self.word(verdict, report)
        return report

    @staticmethod
    def word(verdict: Verdict, report: pytest.TestReport) -> str | None:
        """What the terminal says of one phase: the verdict at the end, nothing before; None leaves it to pytest."""
        if verdict.wrong:
            return None if report.failed else ""
        if report.when != "teardown":
            return ""
        return "red" if verdict.red else "survived"

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> Status | None:
        word = self.words.get((report.nodeid, report.when))
        if word is None:
            return None
        return word, word[:1], (word.upper(), {"green" if word == "red" else "red": True})

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """A line for each test and each launcher that it had to notice."""
        out = terminalreporter
        out.section("mutation gate")
        width = max((len(verdict.mutant.name) for verdict in self.verdicts.values()), default=0)
        for verdict in self.verdicts.values():
            found = "red" if verdict.red else "error" if verdict.wrong else "SURVIVED"
            head = f"{verdict.host}  {verdict.mutant.name:{width}}  {verdict.seconds:5.1f} s  {found:8}  "
            out.write_line(f"{head}{verdict.test}", green=found == "red", red=found != "red")
            out.write_line(f"{'':{len(verdict.host)}}  {verdict.red or verdict.wrong or verdict.mutant.broken}")
        mutants = {(verdict.host, verdict.mutant.name) for verdict in self.verdicts.values()}
        alive = {(v.host, v.mutant.name) for v in self.verdicts.values() if not v.red or v.wrong}
        out.write_line(f"{len(mutants) - len(alive)} of {len(mutants)} broken launchers were noticed")
