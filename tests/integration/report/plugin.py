"""The pytest plugin: `--report DIR` writes DIR/junit.xml and DIR/index.html; with or without it a run ends in a recap.

A session finishes in this order, which pytest's ordering of hooks gives: session fixtures are torn down and JUnit's file is
written (plain hooks), then our page (the innermost wrapper), then the terminal's summary with our recap as its last part.
"""

from collections.abc import Generator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from . import facts, junit, recap
from .phases import record, to_stderr
from .run import CONTROLLER, Run

TOLD_BY_RECAP = "sfE"  # letters of pytest's -r: skips, failures and errors need not be listed twice


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contain")
    group.addoption("--report", metavar="DIR", help="write DIR/index.html, a page on the run, and DIR/junit.xml")


@pytest.hookimpl(tryfirst=True)  # before pytest's own JUnit and terminal plugins read their options
def pytest_configure(config: pytest.Config) -> None:
    folder = config.getoption("report")
    if folder and not config.option.xmlpath:
        config.option.xmlpath = str(Path(folder, "junit.xml").absolute())
    if config.option.collectonly:
        return
    every = "sxXEf" if config.option.reportchars == "a" else config.option.reportchars
    config.option.reportchars = "".join(letter for letter in every if letter not in TOLD_BY_RECAP)
    config.pluginmanager.register(Reporter(config, Path(folder).absolute() if folder else None), "contain-report")


class Reporter:
    """Listens to a session, and tells of it."""

    def __init__(self, config: pytest.Config, folder: Path | None) -> None:
        self.config, self.folder, self.run = config, folder, Run()
        self.asked: set[str] = set()
        self.unwritten = ""  # why there is no page
        record.teller = self.tell

    def pytest_unconfigure(self) -> None:
        record.teller = to_stderr

    def tell(self, line: str) -> None:
        """A line on the terminal, whatever pytest captures at this moment."""
        terminal = self.config.pluginmanager.getplugin("terminalreporter")
        if terminal is None:
            to_stderr(line)
            return
        capture = self.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            terminal.ensure_newline()
            writer = self.config.get_terminal_writer()
            if writer.width_of_current_line:  # the dots of -q, of which the reporter does not know
                writer.line()
            terminal.write_line(line)
            terminal.flush()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            spec = getattr(item, "callspec", None)
            self.run.hosts[item.nodeid] = host = str(spec.params.get("host", CONTROLLER)) if spec else CONTROLLER
            item.user_properties += [("nodeid", item.nodeid), ("host", host)]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.outcome != "passed":
            self.run.add_collected(report)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.run.start(nodeid)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Ask a new host what it is, between a test's set-up and its call: the check for residue stands around both."""
        try:
            return (yield)
        finally:
            host = getattr(item, "funcargs", {}).get("host")
            if host is not None and hasattr(host, "shell") and host.name not in self.asked:
                self.asked.add(host.name)
                facts.ask(host)

    @pytest.hookimpl(trylast=True)  # sections that others add to a report are in it
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        category = self.config.hook.pytest_report_teststatus(report=report, config=self.config)[0]
        self.run.add(report, category)

    def pytest_runtest_logfinish(self) -> None:
        self.run.stop()

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Also called for pytest.exit()."""
        self.run.early_end = str(excinfo.value) or excinfo.typename

    def pytest_internalerror(self, excrepr: object) -> None:
        self.run.early_end = f"pytest broke: {str(excrepr).strip().splitlines()[-1]}"

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None, Any, Any]:
        try:
            return (yield)
        finally:
            self.run.early_end = self.run.early_end or str(session.shouldfail or session.shouldstop or "")
            known = {code.value: code.name.lower().replace("_", " ") for code in pytest.ExitCode}
            self.run.status = known.get(int(exitstatus), f"exit status {exitstatus}")
            self.run.end()
            self.write()
            terminal = self.config.pluginmanager.getplugin("terminalreporter")
            if int(exitstatus) not in known and terminal is not None:  # then pytest asks nobody for a summary
                self.recap(terminal)

    def write(self) -> None:
        """Write both files; where that fails, the recap says so and the tests' results stand."""
        try:
            if self.config.option.xmlpath:
                junit.complete(Path(self.config.option.xmlpath), self.run)
            if self.folder:
                from . import page  # jinja2 is loaded for a page alone

                page.write(self.folder / "index.html", self.run, self.config.invocation_params.args)
        except OSError as error:
            self.unwritten = f"{error.filename}: {error.strerror}"

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None, Any, Any]:
        try:
            return (yield)
        finally:
            self.recap(terminalreporter)

    def recap(self, terminal: pytest.TerminalReporter) -> None:
        recap.write(terminal, self.run, self.folder / "index.html" if self.folder else None, self.unwritten)
