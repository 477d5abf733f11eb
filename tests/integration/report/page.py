"""The page of a run: one HTML file with everything in it, which works from file:// and says as much without scripts."""

import os
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from .run import BAD, OUTCOMES, Run, Test
from .timeline import draw, moment
from .words import clipped, printable, seconds

HERE = Path(__file__).parent
ROOM = 3_000_000  # characters for what tests printed; with the rest of a page on 6,000 tests that stays below 10 MB
LIMITS = (100_000, 30_000, 10_000, 4_000, 1_500, 500, 200)  # characters of a section: the largest for which there is room
MARKS = {"passed": "✓", "failed": "✗", "error": "!", "interrupted": "…", "xpassed": "?", "xfailed": "~", "skipped": "–"}  # noqa: RUF001
ORDER = ("failed", "error", "interrupted", "passed", "skipped", "xfailed", "xpassed")


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


def limit(tests: Iterable[Test]) -> int:
    """How long one section of these tests may be, so that all find room."""
    sizes = [len(text) for test in tests for _, text in test.told]
    return next((most for most in LIMITS if sum(min(size, most) for size in sizes) <= ROOM), LIMITS[-1])


def rows(run: Run) -> list[Row]:
    """The tests in the order they ran, but first what did not pass."""
    tests = list(run.tests.values())
    most = {bad: limit(test for test in tests if (test.outcome in BAD) == bad) for bad in (True, False)}
    hosts = {name: number for number, name in enumerate(run.names)}
    found = []
    for number, test in enumerate(tests):
        room = most[test.outcome in BAD]
        sections = [(printable(title), clipped(printable(text).strip("\n"), room)) for title, text in test.told]
        found.append(Row(number, test, hosts[test.host], [(title, text) for title, text in sections if text.strip()]))
    return sorted(found, key=lambda row: BAD.index(row.test.outcome) if row.test.outcome in BAD else len(BAD))


def verdict(run: Run) -> tuple[str, bool]:
    """The run in one sentence, and whether it is good news."""
    counts, not_run = run.counts(), run.not_run.total()
    bad = sum(counts[outcome] for outcome in BAD)
    if bad:
        return f"{bad} of {counts.total()} tests failed", False
    if not counts.total():
        return "No test ran", False
    if not_run or run.status not in ("ok", "tests failed"):
        return f"{counts['passed']} tests passed, but the run did not end well", False
    return f"{counts['passed']} tests passed", run.status == "ok"


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
        outcomes=[(outcome, MARKS[outcome], counts[outcome]) for outcome in ORDER if counts[outcome]],
        marks=MARKS,
        not_run=run.not_run.total(),
        bad=BAD,
        every=OUTCOMES,
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
