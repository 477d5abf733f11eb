"""What pytest's JUnit XML lacks: the phases and facts of the hosts, and all that a test and its diagnosis printed."""

import xml.etree.ElementTree as ET
from pathlib import Path

from .phases import record
from .run import Run, Test
from .words import clipped, printable

MOST = 100_000  # characters of one section; readers of such files hold them in memory


def properties(parent: ET.Element) -> ET.Element:
    """The element's properties, which have to stand first."""
    found = parent.find("properties")
    if found is None:
        found = ET.Element("properties")
        parent.insert(0, found)
    return found


def add(parent: ET.Element, name: str, value: str) -> None:
    ET.SubElement(properties(parent), "property", name=printable(name), value=printable(value))


def printed(test: Test) -> str:
    """The sections of a test below their titles; what failed has an element of its own."""
    sections = [(title, text) for title, text in test.told if not title.startswith("Failure in ")]
    return "\n".join(f"---- {printable(title)} ----\n{clipped(printable(text), MOST)}" for title, text in sections)


def complete(path: Path, run: Run) -> None:
    """Add to the file that pytest wrote. One that isn't there, because pytest broke, stays so."""
    if not path.exists():
        return
    tree = ET.parse(path)  # noqa: S314 - written by pytest a moment ago
    for suite in tree.iter("testsuite"):
        for host, told in record.facts.items():
            for name, value in told.items():
                add(suite, f"{host}: {name}", value)
        for phase in record.phases:
            reason = f", failed: {phase.reason}" if phase.reason else ""
            add(suite, f"{phase.host}: {phase.what}", f"{phase.seconds:.3f} s{reason}")
    for case in tree.iter("testcase"):
        named = case.find("properties/property[@name='nodeid']")
        test = run.tests.get(named.get("value", "")) if named is not None else None
        if test is None:
            continue
        for part, seconds in test.parts.items():
            add(case, f"seconds of {part}", f"{seconds:.3f}")
        words = printed(test)
        if words and case.find("system-out") is None:
            ET.SubElement(case, "system-out").text = words
    tree.write(path, encoding="utf-8", xml_declaration=True)
