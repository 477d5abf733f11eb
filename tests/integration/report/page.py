"""The page of a run: one HTML file with everything in it, which works from file:// and says as much without scripts."""

import os
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import jinja2

from .run import BAD, COLUMNS, Run, Test
from .timeline import draw, moment
from .words import clipped, printable, seconds

HERE = Path(__file__).parent
MOST = 9_000_000  # bytes of a page that browsers still open at once and CI systems keep
FRAME = 700  # bytes of the page for each test, whatever it printed
LIMITS = (100_000, 30_000, 10_000, 4_000, 1_500, 500, 200, 50)  # characters of a section: the largest for which there is room
MARKS = {"passed": "✓", "failed": "✗", "error": "!", "interrupted": "…", "xpassed": "?", "xfailed": "~", "skipped": "–"}  # noqa: RUF001


@dataclass(frozen=True)
class Row:
    """A test as listed."""

    number: int
    test: Test
    host: int
    sections: list[tuple[str, str]]

    @property
    def parts(self) -> str:
        words = {"setup": "set-up"}
        return ", ".join(f"{words.get(part, part)} {seconds(took)}" for part, took in self.test.parts.items())

    @property
    def clock(self) -> str:
        return moment(self.test.wall)


def limit(tests: Iterable[Test], room: int) -> int:
    """How many characters of a section may be shown, so that those of all these tests need at most `room` bytes."""
    sizes = [(len(text), len(escape(text).encode("utf-8", "replace"))) for test in tests for _, text in test.told]

    def needed(most: int) -> float:
        return sum(size * min(1, most / (length or 1)) for length, size in sizes)

    return next((most for most in LIMITS if needed(most) <= room), LIMITS[-1])


def rows(run: Run) -> list[Row]:
    """The tests in the order they ran, but first what did not pass."""
    tests = list(run.tests.values())
    room = max(MOST - FRAME * len(tests), MOST // 4) // 2  # for what failed, and as much for the rest
    most = {bad: limit((test for test in tests if (test.outcome in BAD) == bad), room) for bad in (True, False)}
    hosts = {name: number for number, name in enumerate(run.names)}
    found = []
    for number, test in enumerate(tests):
        told = [(printable(title), printable(text).strip("\n")) for title, text in test.told if text.strip()]
        sections = [(title, clipped(text, most[test.outcome in BAD])) for title, text in told]
        found.append(Row(number, test, hosts[test.host], sections))
    return sorted(found, key=lambda row: BAD.index(row.test.outcome) if row.test.outcome in BAD else len(BAD))


def verdict(run: Run) -> tuple[str, bool]:
    """The run in one sentence, and whether it is good news."""
    counts = run.counts()
    bad = sum(counts[outcome] for outcome in BAD)
    if bad:
        return f"{bad} of {counts.total()} tests failed", False
    if run.early_end:
        return f"Ended early: {counts['passed']} tests passed, {run.not_run.total()} not run", False
    if not counts.total():
        return "No test ran", False
    return f"{counts['passed']} tests passed" + (f", but {run.status}" if run.status != "ok" else ""), run.status == "ok"


def render(run: Run, arguments: Sequence[str]) -> str:
    """The whole page; `arguments` are those that pytest was called with."""
    loader = jinja2.FileSystemLoader(HERE)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["seconds"] = seconds
    environment.filters["printable"] = printable
    sentence, good = verdict(run)
    counts = run.counts()
    return environment.get_template("page.html.j2").render(
        verdict=sentence,
        good=good,
        run=run,
        command=printable(shlex.join(["pytest", *arguments])),
        machine=os.uname().nodename,
        began=moment(run.wall, "%Y-%m-%d %H:%M:%S %z"),
        took=seconds(run.seconds),
        outcomes=[(outcome, MARKS[outcome], counts[outcome]) for outcome in COLUMNS if counts[outcome]],
        marks=MARKS,
        not_run=run.not_run.total(),
        bad=BAD,
        every=COLUMNS,
        hosts=draw(run, {key: number for number, key in enumerate(run.tests)}),
        rows=rows(run),
        css=(HERE / "page.css").read_text(encoding="utf-8"),
        script=(HERE / "page.js").read_text(encoding="utf-8"),
    )


def write(path: Path, run: Run, arguments: Sequence[str]) -> None:
    """Write the page, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.write_text(render(run, arguments), encoding="utf-8", errors="backslashreplace")
    unfinished.replace(path)
