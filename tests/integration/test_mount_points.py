"""Places that are made in the root to mount on: no launch loses one to another, no kill and no error leaves one for good."""

from collections.abc import Callable, Iterator

import pytest

from tests.integration.harness import images
from tests.integration.harness.host import Host

Mounted = Callable[..., str]
KINDS = ("the host's", "tmpfs", "ramfs")  # a ramfs has no attributes
PAIRS = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def bare(host: Host, busybox: str, mounted: Mounted) -> Iterator[Callable[[str], str]]:
    """`bare(kind)`: a root on a file system of that kind, without any place to mount on."""
    made: list[str] = []

    def make(kind: str) -> str:
        root = host.new("bare") if kind == KINDS[0] else f"{mounted(kind)}/root"
        images.make(host, root, busybox)
        host.run("rmdir", f"{root}/proc", f"{root}/dev")
        made.append(root)
        return root

    yield make
    host.end_all()
    for root in made:
        host.remove(root)


@pytest.fixture
def source(host: Host) -> Iterator[str]:
    """A folder to bind, with a file in it."""
    path = host.new("source")
    host.shell('mkdir "$1"; echo given > "$1/word"', path)
    yield path
    host.remove(path)


def stays(kind: str) -> str:
    return "1" if kind == "ramfs" else "0"


@PAIRS
def test_of_two_launches_at_once_neither_loses_what_it_stands_on(
    host: Host, bare: Callable[[str], str], source: str, kind: str
) -> None:
    words = (bare(kind), source, stays(kind), str(host.rounds(20)), "1")
    assert host.drive("pairs.py", *words) == []


@pytest.mark.exhaustive
@PAIRS
@pytest.mark.parametrize("seed", ["2", "3", "4", "5", "6"])
def test_of_many_pairs_none_loses_what_it_stands_on(
    host: Host, bare: Callable[[str], str], source: str, kind: str, seed: str
) -> None:
    words = (bare(kind), source, stays(kind), str(host.rounds(100)), seed)
    assert host.drive("pairs.py", *words, within=600) == []
