"""Ends: exit statuses, deaths by signals, failures to execute."""

from .measure import Measure, no_core
from .rows import Check, row

STATUSES = range(256)
SIGNALS = (*range(1, 32), *range(34, 65))
STOPS = (19, 20, 21, 22)


@row("S01", STATUSES)
def exit_statuses(measure: Measure, case: str) -> Check:
    """Each exit status is the program's."""
    return measure.compare(case, ["sh", "-c", f"exit {case}"])


@row("S02", [number for number in SIGNALS if number not in STOPS])
def deaths(measure: Measure, case: str) -> Check:
    """A death by each signal is the launcher's; a signal that does not kill changes nothing."""
    return measure.compare(case, ["sh", "-c", f"kill -{case} $$; exit 7"], before=no_core)
