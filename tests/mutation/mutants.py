"""What a mutant is: one promise broken by a few exact replacements in the launcher's source, and the tests that must see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PARTS = ("bin", "contain")


class OutdatedError(Exception):
    """A replacement that no longer fits the source: its mutant has to be written anew."""


@dataclass(frozen=True)
class Edit:
    """`old`, which stands exactly once in `file` (relative to the checkout), becomes `new`."""

    file: str
    old: str
    new: str

    def apply(self, source: str) -> str:
        """The source with the replacement made. Raises OutdatedError."""
        found = source.count(self.old)
        if found != 1:
            raise OutdatedError(f"{self.file}: {found} times, and not once: {self.old!r}")
        return source.replace(self.old, self.new)


@dataclass(frozen=True)
class Mutant:
    """A launcher with one fault.

    `name` is unique, `broken` says in one sentence what it does wrong. `tests` are of tests/integration, as `file.py::test`
    or, for one case of a parametrised test, `file.py::test[case]`; each of them must be red, and pass with the sound launcher.
    """

    name: str
    broken: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]

    def apply(self, sources: Mapping[str, str]) -> dict[str, str]:
        """The changed files, by their path, from the sound ones. Raises OutdatedError."""
        changed: dict[str, str] = {}
        for edit in self.edits:
            if edit.file not in sources:
                raise OutdatedError(f"{edit.file} is not there")
            changed[edit.file] = edit.apply(changed.get(edit.file) or sources[edit.file])
        return changed


def sources(checkout: Path = CHECKOUT) -> dict[str, str]:
    """The launcher's files as they stand now, by their path in the checkout."""
    paths = [path for part in PARTS for path in (checkout / part).rglob("*") if path.is_file()]
    return {str(p.relative_to(checkout)): p.read_text(encoding="utf-8") for p in paths if p.suffix != ".pyc"}
