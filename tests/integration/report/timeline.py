"""A timeline per host: lanes of phases above a lane of tests, all hosts on one scale, each from its own beginning."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .phases import Phase, record
from .run import Run, Test
from .words import clipped, printable, seconds

MOST_TOLD = 60_000  # characters of what a phase told while it lasted


@dataclass(frozen=True)
class Bar:
    """`left` and `width` are per cent of the longest host's time; `link` is the id of what it stands for."""

    left: float
    width: float
    kind: str
    name: str
    title: str
    link: str


@dataclass(frozen=True)
class Told:
    """A phase as listed below the timeline."""

    link: str
    what: str
    took: str
    reason: str
    lines: str


@dataclass(frozen=True)
class Line:
    """A host with all that is drawn and said of it; `number` makes its ids, `seconds` is the length of its timeline."""

    name: str
    number: int
    facts: dict[str, str]
    counts: Counter[str]
    not_run: int
    busy: str
    clock: str
    seconds: float
    phases: list[Told]
    lanes: list[list[Bar]]
    bars: list[Bar]


def side_by_side(phases: Sequence[Phase]) -> list[list[Phase]]:
    """Phases in as few lanes as keep those apart that overlap."""
    lanes: list[list[Phase]] = []
    for phase in sorted(phases, key=lambda phase: phase.began):
        free = [lane for lane in lanes if lane[-1].began + lane[-1].seconds <= phase.began]
        if free:
            free[0].append(phase)
        else:
            lanes.append([phase])
    return lanes


def moment(wall: float, form: str = "%H:%M:%S") -> str:
    return datetime.fromtimestamp(wall).astimezone().strftime(form)


class Scale:
    """From seconds to per cent of the timeline's width."""

    def __init__(self, begin: float, longest: float) -> None:
        self.begin, self.longest = begin, longest

    def bar(self, one: Test | Phase, kind: str, name: str, title: str, link: str) -> Bar:
        left, width = 100 * (one.began - self.begin) / self.longest, 100 * one.seconds / self.longest
        return Bar(left, width, kind, name, printable(title), link)


def draw(run: Run, numbers: dict[str, int]) -> list[Line]:
    """The timelines of all hosts; `numbers` are the tests' by their keys in `run`."""
    happened: dict[str, list[Test | Phase]] = {name: [] for name in run.names}
    for phase in record.phases:
        happened[phase.host].append(phase)
    for test in run.tests.values():
        happened[test.host].append(test)
    spans = {
        name: (min((one.began for one in all_of), default=0), max((one.began + one.seconds for one in all_of), default=0))
        for name, all_of in happened.items()
    }
    longest = max([end - begin for begin, end in spans.values()], default=0) or 1.0
    found = []
    for number, (name, (begin, end)) in enumerate(spans.items()):
        scale = Scale(begin, longest)
        phases = [phase for phase in record.phases if phase.host == name]
        links = {id(phase): f"p{number}-{index}" for index, phase in enumerate(phases)}
        told = [
            Told(
                links[id(phase)],
                phase.what,
                seconds(phase.seconds),
                printable(phase.reason),
                clipped("\n".join(phase.lines), MOST_TOLD),
            )
            for phase in phases
        ]
        lanes = [
            [
                scale.bar(
                    phase,
                    "phase broke" if phase.reason else "phase",
                    phase.what,
                    f"{phase.what}{' failed' * bool(phase.reason)} · {seconds(phase.seconds)}",
                    links[id(phase)],
                )
                for phase in lane
            ]
            for lane in side_by_side(phases)
        ]
        bars = [
            scale.bar(test, test.outcome, "", f"{test.short} · {test.outcome} · {seconds(test.seconds)}", f"t{numbers[key]}")
            for key, test in run.tests.items()
            if test.host == name
        ]
        found.append(
            Line(
                name=name,
                number=number,
                facts=record.facts.get(name, {}),
                counts=run.counts(name),
                not_run=run.not_run[name],
                busy=seconds(run.busy(name)),
                clock=moment(run.wall + begin - run.began),
                seconds=end - begin,
                phases=told,
                lanes=lanes,
                bars=bars,
            )
        )
    return found
