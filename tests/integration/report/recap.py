"""The end of a run on one screen, in the manner of Ansible's recap."""

from collections import Counter
from pathlib import Path

import pytest

from .phases import record
from .run import BAD, COLUMNS, Run
from .words import first_line, seconds

MOST = 20  # lines of a list
WORDS = {"passed": "ok", "error": "errors"}  # Ansible's words where they differ from pytest's
ALWAYS = ("passed", "failed", "skipped")
COLOURS = {"passed": "green", "failed": "red", "error": "red", "interrupted": "red", "skipped": "yellow", "not run": "yellow"}


def tallies(run: Run, host: str) -> Counter[str]:
    """What the line of a host counts."""
    counts = run.counts(host)
    counts["not run"] = run.not_run[host]
    counts["broken phases"] = sum(1 for phase in record.phases if phase.host == host and phase.reason)
    return +counts


def host_line(terminal: pytest.TerminalReporter, run: Run, host: str, width: int, columns: list[str]) -> None:
    """`bookworm : ok=312  failed=0  skipped=0   401 s   kernel 6.1, …`"""
    counts = tallies(run, host)
    bad = any(counts[column] for column in (*BAD, "broken phases"))
    terminal.write(f"{host:{width}}", red=bad, green=not bad, bold=True)
    terminal.write(" :")
    for column in columns:
        cell = f"{WORDS.get(column, column).replace(' ', '-')}={counts[column]}"
        terminal.write(f" {cell:<{max(9, len(column) + 4)}}", **({COLOURS.get(column, "red"): True} if counts[column] else {}))
    told = record.facts.get(host, {})
    known = [f"{name} {told[name]}" for name in ("kernel", "cgroup", "Python", "accelerator") if name in told]
    terminal.write_line(f"{seconds(run.busy(host)):>12}  {', '.join(known)}".rstrip())


def skips(run: Run) -> list[str]:
    """Reasons with the number of tests that gave them and their hosts, the most frequent first."""
    found: Counter[str] = Counter()
    hosts: dict[str, list[str]] = {}
    for test in run.tests.values():
        if test.outcome == "skipped":
            found[test.reason] += 1
            hosts.setdefault(test.reason, []).append(test.host)
    return [f"{number:4}  {reason}  ({', '.join(dict.fromkeys(hosts[reason]))})" for reason, number in found.most_common()]


def failures(run: Run) -> list[str]:
    """What failed and why, in pytest's own words for it."""
    phases = [f"FAILED {phase.host}: {phase.what} - {first_line(phase.reason)}" for phase in record.phases if phase.reason]
    words = {"failed": "FAILED", "error": "ERROR", "interrupted": "INTERRUPTED"}
    bad = [test for test in run.tests.values() if test.outcome in BAD]
    return phases + [f"{words[test.outcome]} {test.id}" + (f" - {test.reason}" if test.reason else "") for test in bad]


def some(terminal: pytest.TerminalReporter, lines: list[str], **markup: bool) -> None:
    width = terminal.config.get_terminal_writer().fullwidth if terminal.isatty else 1000
    for line in lines[:MOST]:
        terminal.write_line(line if len(line) <= width else line[: width - 1] + "…", **markup)
    if lines[MOST:]:
        terminal.write_line(f"… and {len(lines) - MOST} more", **markup)


def write(terminal: pytest.TerminalReporter, run: Run, page: Path | None, unwritten: str) -> None:
    """Write the recap; `page` is the path of the page, `unwritten` why it isn't there."""
    terminal.write_sep("=", "recap", bold=True)
    width = max([len(name) for name in run.names], default=0)
    used = {column for host in run.names for column in tallies(run, host)}
    columns = [column for column in (*COLUMNS, "not run", "broken phases") if column in used or column in ALWAYS]
    for host in run.names:
        host_line(terminal, run, host, width, columns)
    if reasons := skips(run):
        terminal.write_line("skipped:")
        some(terminal, reasons, yellow=True)
    some(terminal, failures(run), red=True)
    if run.early_end:
        terminal.write_line(f"ended early: {first_line(run.early_end)}", red=True)
    if page:
        terminal.write_line(f"no page: {unwritten}" if unwritten else f"page: {page}", red=bool(unwritten))
