"""The fixtures that the gate adds to those of tests/integration."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from .gate import GATE
from .launcher import Launcher

if TYPE_CHECKING:  # it is pytest that is to load these
    from tests.integration.harness.bridge import Bridge
    from tests.integration.harness.host import Host


@pytest.fixture(scope="session")
def copy(request: pytest.FixtureRequest, host: "Host") -> Iterator[Launcher]:
    """The launcher's copy on the host."""
    gate = request.config.stash[GATE]
    host.patience = min(host.patience, gate.patience)
    gate.copied = made = Launcher(host, gate.sources)
    yield made
    gate.copied = None
    made.close()


@pytest.fixture(scope="session", autouse=True)
def launcher(request: pytest.FixtureRequest, host: "Host", copy: Launcher, rootfs: str, bridge: "Bridge") -> Iterator[None]:
    """The launcher of the next tests: the sound one, or one with a fault. `rootfs` and `bridge` were made with the former."""
    host.clean()
    copy.become(request.param)
    copy.launches(rootfs, bridge)
    yield
    copy.become(None)
