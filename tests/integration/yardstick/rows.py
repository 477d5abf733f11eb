"""Rows of the yardstick: what is compared, case by case, and what came of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .measure import Measure

PASSES, FAILS, STATED, UNASKED = "passes", "fails", "stated", "n/a"


@dataclass
class Check:
    """One case and its verdict: `passes`, `fails`, `stated` (differs as docs/transparency.md says it does) or `n/a`."""

    case: str
    verdict: str
    expected: str = ""
    got: str = ""
    note: str = ""
    row: str = field(default="")
    name: str = field(default="")

    def as_dict(self) -> dict[str, str]:
        """All of it; what would be a long line is cut."""
        return {key: value if len(value) <= 700 else f"{value[:340]} … {value[-340:]}" for key, value in asdict(self).items()}


def judged(case: str, expected: object, got: object, note: str = "") -> Check:
    """Passes if both are equal."""
    return Check(case, PASSES if expected == got else FAILS, repr(expected), repr(got), note)


def unasked(case: str, why: str) -> Check:
    """A case that this launcher, or this host, cannot be asked."""
    return Check(case, UNASKED, note=why)


@dataclass(frozen=True)
class Row:
    """A function that answers for some cases of a row; `alone` if nothing else may run at its side."""

    row: str
    name: str
    title: str
    cases: tuple[str, ...]
    alone: bool
    whole: bool
    function: Callable[..., Any]

    def answer(self, measure: "Measure", cases: Sequence[str]) -> Iterator[Check]:
        """A check for each of `cases`, none missing; what goes wrong on the way is a failure of theirs."""
        left = list(cases)
        try:
            found: Iterable[Check] = self.function(measure) if self.whole else (self.function(measure, case) for case in cases)
            for check in found:
                check.row, check.name = self.row, self.name
                if check.case in left:
                    left.remove(check.case)
                    yield check
        except Exception as error:
            for case in left:
                yield Check(case, FAILS, got=f"{type(error).__name__}: {error}", row=self.row, name=self.name)
        else:
            for case in left:
                yield Check(case, FAILS, got="the row did not answer", row=self.row, name=self.name)


ROWS: dict[str, Row] = {}


def _register(row: str, cases: Iterable[object], alone: bool, whole: bool) -> Callable[[Callable[..., Any]], Row]:
    def decorate(function: Callable[..., Any]) -> Row:
        name = function.__name__
        title = (function.__doc__ or name).strip().partition("\n")[0]
        made = Row(row, name, title, tuple(str(case) for case in cases), alone, whole, function)
        assert ROWS.setdefault(name, made) is made, f"two rows are called {name}"
        return made

    return decorate


def row(
    number: str, cases: Iterable[object] = ("",), alone: bool = False
) -> Callable[[Callable[["Measure", str], Check]], Row]:
    """`@row("S01", range(256))`: the function answers for one case at a time, and cases may run side by side."""
    return _register(number, cases, alone, whole=False)


def table(number: str, cases: Iterable[object], alone: bool = False) -> Callable[[Callable[["Measure"], Iterator[Check]]], Row]:
    """`@table("S06", SIGNALS)`: the function yields the checks of all cases, for instance from one long dialogue."""
    return _register(number, cases, alone, whole=True)


def chosen(names: Sequence[str]) -> list[Row]:
    """The rows of these numbers or names; all without any. Raises KeyError."""
    if not names:
        return list(ROWS.values())
    found = [made for made in ROWS.values() if made.row in names or made.name in names]
    known = {made.row for made in found} | {made.name for made in found}
    missing = [name for name in names if name not in known]
    if missing:
        raise KeyError(", ".join(missing))
    return found
