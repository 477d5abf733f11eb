"""The yardstick as the tests ask it: a group of rows measured once per host, then looked up case by case."""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

import pytest

from tests.integration.yardstick.rows import FAILS, PASSES, UNASKED, Check, Row

from .host import Host
from .link import PYTHON

FOLDER = Path(__file__).parent.parent / "yardstick"
OPTIONS = "--chroot / --env-all --quiet --"


def lend(host: Host) -> str:
    """The yardstick's own files, brought to the host; answers their folder."""
    path = f"{host.folder}/yardstick"
    host.run("mkdir", "-p", f"{path}/probes", f"{path}/shims")
    for source in FOLDER.rglob("*.py"):
        host.put(f"{path}/{source.relative_to(FOLDER)}", source.read_bytes())
    return path


Case = tuple[Row, str]


def each_case(row: Row) -> pytest.MarkDecorator:
    """`@each_case(rows.deaths)`: the test is run for each case of the row, as `case`."""
    return pytest.mark.parametrize("case", [pytest.param((row, case), id=case or row.name) for case in row.cases])


class Tally:
    """A plugin that ends a run against another launcher with a table: row, what is asked, how many cases pass."""

    def __init__(self, launcher: str) -> None:
        self.launcher = launcher
        self.rows: dict[tuple[str, str], list[str]] = {}

    def add(self, checks: Iterable[Check]) -> None:
        for check in checks:
            self.rows.setdefault((check.row, check.name), []).append(check.verdict)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section(self.launcher)
        for (row, name), verdicts in sorted(self.rows.items()):
            passed, asked = verdicts.count(PASSES), len(verdicts) - verdicts.count(UNASKED)
            verdict = "n/a" if not asked else "passes" if passed == asked else "fails"
            terminalreporter.line(f"{row} {name:<32} {verdict:<8}{passed} of {asked}")


class Answers:
    """What the yardstick said about some rows on one host. The rows are measured when the first case is looked up.

    The environment variable LAUNCHER names another launcher, as the words before the program's; what it does differently is
    then an expected failure, and a table tells which rows it passes. CONTAIN_PAIRS is the number of (signal, moment) pairs.
    """

    def __init__(self, host: Host, rows: Sequence[Row]) -> None:
        self.host, self.rows = host, rows
        self.other = os.environ.get("LAUNCHER", "")
        self.tally: Tally | None = None
        self.checks: dict[tuple[str, str], Check] | None = None

    @classmethod
    def to_selected(cls, host: Host, request: pytest.FixtureRequest) -> "Answers":
        """For the rows that the selected tests of the requesting module ask about."""
        rows: dict[str, Row] = {}
        for item in request.session.items:
            if isinstance(item, pytest.Function) and item.module is request.module and "case" in item.callspec.params:
                row: Row = cast(Case, item.callspec.params["case"])[0]
                rows[row.name] = row
        made = cls(host, list(rows.values()))
        if made.other:
            plugins = request.config.pluginmanager
            if not plugins.has_plugin("tally"):
                plugins.register(Tally(made.other), "tally")
            made.tally = plugins.get_plugin("tally")
        return made

    def measure(self) -> dict[tuple[str, str], Check]:
        host = self.host
        pairs = os.environ.get("CONTAIN_PAIRS") or ("5000" if host.patience == 1 else "186")
        ran = host.run(
            PYTHON, "-IS", lend(host),
            "--launcher", self.other or f"{host.contain_path} {OPTIONS}",
            "--patience", str(host.patience), "--pairs", pairs,
            *(row.name for row in self.rows),
            within=600,
        )  # fmt: skip
        checks = [Check(**json.loads(line)) for line in ran.lines]
        if self.tally:
            self.tally.add(checks)
        return {(check.name, check.case): check for check in checks}

    def holds(self, row: Row, case: str = "") -> None:
        """The case passes, or differs in the very way that docs/transparency.md states."""
        if self.checks is None:
            self.checks = {}  # asked once, even if that fails
            self.checks = self.measure()
        check = self.checks[row.name, case]
        if check.verdict == UNASKED:
            pytest.skip(f"{self.other or self.host}: {check.note}")
        if self.other and check.verdict != PASSES:
            pytest.xfail(f"{self.other}: bare {check.expected}, launched {check.got}")
        assert check.verdict != FAILS, f"\n  bare: {check.expected}\n  launched: {check.got}\n  {check.note}"
