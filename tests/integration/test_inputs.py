"""The table of odd inputs has 99 rows, B01 to B99, and each is answered by a test in one of these files."""

import re
from pathlib import Path


def test_every_row_has_its_test() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert set(re.findall(r'"(B\d\d)"', text)) == {f"B{number:02}" for number in range(1, 100)}
