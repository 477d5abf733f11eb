"""Fixtures: a host, a bridge, a root, two contained programs, and the residue check around every test."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.harness import images
from tests.integration.harness.bridge import Bridge, Neighbour
from tests.integration.harness.host import Host
from tests.integration.harness.inventory import connect
from tests.integration.harness.running import Running, Shell

NETNS_TEARDOWN = 2.0  # the kernel takes a network namespace apart after its last process has gone


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contain")
    group.addoption("--host", action="append", default=[], help="local, a guest, or an ssh host; repeatable")
    group.addoption("--ssh-config", help="the ssh configuration that knows the hosts")
    group.addoption("--contain", help="the launcher to test: a path on the host")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "host" in metafunc.fixturenames:
        names = list(dict.fromkeys(metafunc.config.getoption("--host") or ["local"]))
        metafunc.parametrize("host", names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The place where contain runs."""
    option = request.config.getoption
    made = connect(
        request.param,
        contain=option("--contain"),
        ssh_config=option("--ssh-config"),
        folder=tmp_path_factory.mktemp(Path(request.param).name),
    )
    if made.run("id", "-u").line != "0":
        pytest.exit(f"{made}: contain and its tests need root there", 1)
    yield made
    made.close()


@pytest.fixture(scope="session")
def busybox(host: Host) -> str:
    return images.busybox(host)


@pytest.fixture(scope="session")
def rootfs(host: Host, busybox: str) -> str:
    """A root that no test may change; with one launch before any test, for what only the first launch makes."""
    path = images.make(host, f"{host.folder}/rootfs", busybox)
    host.contained("--chroot", path, "--quiet", "--", "true")
    return path


@pytest.fixture
def own_rootfs(host: Host, busybox: str) -> Iterator[str]:
    """A root that the test may change as it likes."""
    path = images.make(host, host.new("rootfs"), busybox)
    yield path
    host.run("rm", "-rf", path)


@pytest.fixture(scope="session")
def host_tree(host: Host) -> tuple[str, ...]:
    """Options for a root with the host's own programs."""
    return images.host_tree(host)


@pytest.fixture(scope="session")
def bridge(host: Host) -> Iterator[Bridge]:
    made = Bridge(host, "containtest0").make()
    yield made
    made.remove()


@pytest.fixture
def shell(host: Host, rootfs: str) -> Shell:
    """Start a contained shell that takes commands: `shell(options…).succeed("id")`."""

    def start(*options: str, root: str = rootfs) -> Running:
        running = host.contain("--chroot", root, *options, "--", "sh")
        running.succeed(":")
        return running

    return start


@pytest.fixture
def pair(shell: Shell, bridge: Bridge) -> tuple[Neighbour, Neighbour]:
    """Two contained shells on the bridge."""
    return Neighbour(shell, bridge), Neighbour(shell, bridge)


@pytest.fixture
def public_contain(host: Host) -> Iterator[str]:
    """The launcher where every user can read it: a checkout may lie in a folder of root's alone."""
    copy = "/tmp/launcher-of-everybody"
    checkout = host.contain_path.removesuffix("/bin/contain")
    if host.finish("test", "-e", f"{checkout}/contain/launch.py").status != 0:
        yield host.contain_path  # an installed one
        return
    host.shell('mkdir "$2"; cp -r "$1/bin" "$1/contain" "$2"; chmod -R a+rX "$2"', checkout, copy)
    yield f"{copy}/bin/contain"
    host.run("rm", "-r", copy)


@pytest.fixture
def mounted(host: Host) -> Iterator[Callable[..., str]]:
    """`mounted(type, options, source)`: a file system of the host's, gone after the test; answers its path."""
    made: list[str] = []

    def mount(kind: str, options: str = "", source: str = "none") -> str:
        path = host.new("mount")
        host.run("mkdir", path)
        if kind == "bind":
            host.run("mount", "--bind", source, path)
            if options:
                host.run("mount", "-o", f"remount,bind,{options}", path)
        else:
            host.run("mount", "-t", kind, *(["-o", options] if options else []), source, path)
        made.append(path)
        return path

    yield mount
    host.end_all()
    for path in reversed(made):
        host.run("umount", path)
        host.run("rmdir", path)


def difference(before: dict[str, list[str]], after: dict[str, list[str]]) -> str:
    lines = []
    for kind, now in after.items():
        lines += [f"{kind}: new: {line}" for line in now if line not in before[kind]]
        if kind != "cgroups":  # a start sweeps what another killed launcher left
            lines += [f"{kind}: gone: {line}" for line in before[kind] if line not in now]
    return "\n".join(lines)


@pytest.fixture(autouse=True)
def residue(request: pytest.FixtureRequest) -> Iterator[None]:
    """Cgroups, links, ports, namespaces, mounts, processes and files must be the same after a test as before it."""
    if "host" not in request.fixturenames:
        yield
        return
    host: Host = request.getfixturevalue("host")
    before = host.residue()
    yield
    stubborn = host.end_all()
    deadline = time.monotonic() + NETNS_TEARDOWN * host.patience
    while left := difference(before, host.residue()):
        if time.monotonic() > deadline:
            pytest.fail(f"left behind on {host}:\n{left}", pytrace=False)
        time.sleep(0.02)
    assert not stubborn, f"SIGTERM and the end of its input did not end {stubborn}"
