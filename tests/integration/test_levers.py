"""What is bound or left in the root, or how it is named, brings no lever of the host inside: neither its cgroups nor its kernel."""

from collections.abc import Iterator

import pytest

from tests.integration.harness import images
from tests.integration.harness.host import Host
from tests.integration.harness.judge import SEVEN, refused


@pytest.fixture
def folder(host: Host) -> Iterator[str]:
    """A folder with a root in which the host's own Python runs; others are prepared beside it."""
    path = host.new("levers")
    images.host_tree(host, f"{path}/tree")
    host.shell('mkdir "$1/tree/sys" "$1/tree/host" && touch "$1/tree/file"', path)
    yield path
    host.remove(path)


@pytest.mark.parametrize("table", ["spellings", "prepared", "binds"])
def test_no_lever_of_the_host_can_be_moved(host: Host, folder: str, table: str) -> None:
    assert host.drive("levers.py", folder, table) == []
