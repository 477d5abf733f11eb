#!/usr/bin/env python3
"""Draw docs/demo.svg from what `contain demo` really prints. Needs root: sudo ./docs/make_demo_svg.py"""

import subprocess
import sys
from html import escape
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMMAND = [str(HERE.parent / "bin/contain"), "demo"]

WIDTH, LINE, SIZE, MARGIN, BAR = 800, 17, 13, 24, 34
FONTS = "ui-monospace,Menlo,Consolas,DejaVu Sans Mono,monospace"
BACKGROUND, FRAME, TITLE, TYPED, PROMPT, OUTPUT = "#1c2027", "#2a2f38", "#e6e3da", "#d5d9e0", "#7fb2c9", "#8f98a6"


def coloured(lines: list[str]) -> list[list[tuple[str, str, bool]]]:
    """Each line as pieces of (text, colour, bold): titles, prompts, what is typed, what is answered."""
    found: list[list[tuple[str, str, bool]]] = []
    goes_on = False
    for line in lines:
        prompt, dollar, typed = line.partition("$ ")
        if line[:1] != " ":
            found.append([(line, TITLE, True)])
        elif goes_on or (dollar and line[:4].strip() and " " not in prompt.strip()):
            found.append([(line, TYPED, False)] if goes_on else [(prompt + "$ ", PROMPT, False), (typed, TYPED, False)])
            goes_on = line.endswith("\\")
        else:
            found.append([(line, OUTPUT, False)])
    return found


def svg(words: str) -> str:
    """The picture: a quiet dark window with the command and all that it printed."""
    lines = [
        [("$ ", PROMPT, False), ("sudo contain demo", TYPED, False)],
        [("", OUTPUT, False)],
        *coloured(words.strip("\n").split("\n")),
    ]
    height = BAR + MARGIN + LINE * len(lines)
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">',
        "<title>The output of contain demo</title>",
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="{BACKGROUND}"/>',
        f'<path d="M0 {BAR}V8a8 8 0 0 1 8-8H{WIDTH - 8}a8 8 0 0 1 8 8V{BAR}z" fill="{FRAME}"/>',
    ]
    drawn += [f'<circle cx="{18 + 18 * number}" cy="{BAR // 2}" r="5" fill="#4a515d"/>' for number in range(3)]
    drawn.append(f'<g font-family="{FONTS}" font-size="{SIZE}" xml:space="preserve">')
    for number, pieces in enumerate(lines):
        spans = "".join(
            f'<tspan fill="{colour}"{" font-weight=" + chr(34) + "bold" + chr(34) if bold else ""}>{escape(text)}</tspan>'
            for text, colour, bold in pieces
        )
        if pieces[0][0]:
            drawn.append(f'<text x="{MARGIN}" y="{BAR + MARGIN + LINE * number}">{spans}</text>')
    return "\n".join([*drawn, "</g>", "</svg>"]) + "\n"


def main() -> int:
    """Run the demo and draw it, if all of it held."""
    done = subprocess.run(COMMAND, stdout=subprocess.PIPE, encoding="utf-8", timeout=60, check=False)
    if done.returncode:
        sys.stderr.write(f"the demo ended with status {done.returncode}; nothing is drawn\n")
        return 1
    (HERE / "demo.svg").write_text(svg(done.stdout), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
