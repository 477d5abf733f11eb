"""What is written for users names every option, and no link in it leads nowhere."""

import re
from pathlib import Path

import pytest

from contain.options import TABLE

REPOSITORY = Path(__file__).parents[2]
PAGES = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", ["README.md", "docs/reference.md"])
def test_every_option_is_named(page: str) -> None:
    words = (REPOSITORY / page).read_text(encoding="utf-8")
    assert [option.name for option in TABLE if not re.search(rf"`--{option.name}[ `]", words)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    words = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", words, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", words) if "://" not in link]
    assert [link for link in links if link.startswith("#") and link[1:] not in anchors] == []
    assert [link for link in links if not link.startswith("#") and not (page.parent / link.partition("#")[0]).exists()] == []
