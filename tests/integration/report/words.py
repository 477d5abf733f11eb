"""What programs printed, made fit to be shown elsewhere: no escapes, no byte that XML or HTML forbids, no endless text."""

import re

ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|.)")  # ECMA-48: control sequences, titles, the rest
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")  # XML 1.0, 2.2, and HTML's


def plain(line: str) -> str:
    """One line of a tool as any terminal may show it: without colours, without what a carriage return wrote over."""
    shown = ESCAPES.sub("", line).rstrip().rpartition("\r")[2]
    return "".join(char for char in shown.expandtabs() if char.isprintable())


def pictured(match: re.Match[str]) -> str:
    """A character of the C0 set as Unicode's picture of it, any other by its number."""
    number = ord(match[0])
    return chr(0x2400 + number) if number < 0x20 else f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def printable(text: str) -> str:
    """Text without terminal escapes, its other control characters and lone surrogates made visible."""
    return FORBIDDEN.sub(pictured, ESCAPES.sub("", text.replace("\r\n", "\n")))


def clipped(text: str, most: int) -> str:
    """At most about `most` characters: a quarter from the beginning, the rest from the end, and a line that says so."""
    if len(text) <= most:
        return text
    head, tail = text[: most // 4], text[len(text) - most * 3 // 4 :]
    left_out = len(text) - len(head) - len(tail)
    return f"{head}\n[… {left_out:,} of {len(text):,} characters left out …]\n{tail}"


def first_line(text: str, most: int = 200) -> str:
    """The first line that says something; with the next where it ends in a colon."""
    lines = [line.strip() for line in printable(text).splitlines() if line.strip()]
    line = " ".join(lines[:2] if lines and lines[0].endswith(":") else lines[:1])
    return line if len(line) <= most else line[: most - 1] + "…"


def seconds(number: float) -> str:
    """A duration as people read it: `40 ms`, `0.12 s`, `28 s`, `4 min 10 s`."""
    if number < 0.0995:
        return f"{number * 1000:.0f} ms"
    if number < 9.95:
        return f"{number:.2f} s" if number < 0.995 else f"{number:.1f} s"
    whole = round(number)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60:02} s"
