"""Fixtures: a host, a bridge, a root, two contained programs, and the residue check around every test."""

import signal
import time
from collections.abc import Callable, Generator, Iterator

import pytest

from tests.integration.harness import images
from tests.integration.harness.bridge import Bridge, Neighbour
from tests.integration.harness.host import Host
from tests.integration.harness.inventory import Inventory, dispose
from tests.integration.harness.running import Running, Shell

pytest_plugins = ["tests.integration.report.plugin"]
INVENTORY = pytest.StashKey[Inventory]()
NETNS_TEARDOWN = 2.0  # the kernel takes a network namespace apart after its last process has gone


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contain")
    group.addoption("--host", action="append", default=[], help="local, a guest, an ssh host or a group; repeatable")
    group.addoption(
        "--inventory", help="Ansible's inventory that knows hosts and groups (default: vagrant/inventory/guests.yml)"
    )
    group.addoption("--ssh-config", help="an ssh configuration that knows the hosts; then no guest is booted")
    group.addoption("--contain", help="the launcher to test: a path on the host")
    group.addoption("--anywhere", action="store_true", help="ask guests also what would be the same anywhere")
    group.addoption("--exhaustive", action="store_true", help="whole tables instead of one case of a kind")
    group.addoption(
        "--keep-vm",
        nargs="?",
        const="always",
        choices=["always", "failed"],
        help="let guests run on afterwards, for the next run too; failed: only where a test failed, with a snapshot of it",
    )


def pytest_configure(config: pytest.Config) -> None:
    option = config.getoption
    config.stash[INVENTORY] = Inventory(option("--inventory"), option("--ssh-config"), option("--contain"), option("--keep-vm"))
    # Ended from outside, the tests still take their guests down.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("ended by SIGTERM", 143))


def asked_hosts(config: pytest.Config) -> list[str]:
    return config.stash[INVENTORY].expand(config.getoption("--host") or ["local"])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "host" not in metafunc.fixturenames:
        return
    inventory = metafunc.config.stash[INVENTORY]
    names = asked_hosts(metafunc.config)
    if metafunc.definition.get_closest_marker("guest"):
        names = [name for name in names if inventory.is_guest(name)]
    if metafunc.definition.get_closest_marker("anywhere") and not metafunc.config.getoption("--anywhere"):
        names = [name for name in names if not inventory.is_guest(name)]
    metafunc.parametrize("host", names, indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test that none of the hosts is to be asked is left out, not skipped; so is what takes hours, unless asked for."""

    def left_out(item: pytest.Item) -> bool:
        too_long = item.get_closest_marker("exhaustive") and not config.getoption("--exhaustive")
        return "[NOTSET" in item.nodeid or bool(too_long)

    nowhere = {item for item in items if left_out(item)}
    if nowhere:
        config.hook.pytest_deselected(items=list(nowhere))
        items[:] = [item for item in items if item not in nowhere]


@pytest.fixture(scope="session")
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    """The place where contain runs."""
    try:
        made = request.config.stash[INVENTORY].connect(request.param)
    except Exception as error:
        reason = f"{request.param} could not be made ready: {error or type(error).__name__}"
        if asked_hosts(request.config) == [request.param]:
            pytest.exit(reason, 1)  # there is nothing else to do
        pytest.fail(reason, pytrace=False)
    if made.run("id", "-u").line != "0":
        pytest.exit(f"{made}: contain and its tests need root there", 1)
    failed = request.session.testsfailed
    yield made
    try:
        made.close()
    finally:
        if made.guest:
            failed = request.session.testsfailed - failed
            dispose(made.guest, made.keep == "always" or (made.keep == "failed" and failed > 0))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure's report holds what a person would ask the host for, while it is still there."""
    report = yield
    host = getattr(item, "funcargs", {}).get("host")
    if report.failed and isinstance(host, Host):
        host.dirty = True
        try:
            for title, text in host.diagnosis():
                report.sections.append((f"{host.name}: {title}", text))
        except (OSError, RuntimeError) as error:
            report.sections.append((f"{host.name}: diagnosis", f"it could not be asked: {error}"))
    return report


@pytest.fixture(scope="session")
def busybox(host: Host) -> str:
    return images.busybox(host)


@pytest.fixture(scope="session")
def rootfs(host: Host, busybox: str) -> str:
    """A root that no test may change; with one launch before any test, for what only the first launch makes."""
    path = f"{host.folder}/rootfs"

    def make() -> None:
        images.make(host, path, busybox)
        host.contained("--chroot", path, "--quiet", "--", "true")

    host.lasting(make)
    return path


@pytest.fixture
def own_rootfs(host: Host, rootfs: str) -> Iterator[str]:
    """A root that the test may change as it likes."""
    path = host.new("rootfs")
    host.run("cp", "-a", rootfs, path)
    yield path
    host.run("rm", "-rf", path)


@pytest.fixture(scope="session")
def host_tree(host: Host) -> tuple[str, ...]:
    """Options for a root with the host's own programs."""
    path = f"{host.folder}/tree"
    host.lasting(lambda: images.host_tree(host, path))
    return ("--chroot", path, "--bind", "/usr:/usr:ro")


@pytest.fixture(scope="session")
def bridge(host: Host) -> Iterator[Bridge]:
    made = Bridge(host, "containtest0")
    host.lasting(made.make)
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
    if "yardstick" in request.fixturenames and request.getfixturevalue("yardstick").checks is not None:
        yield  # a look at what was measured under an earlier test's check
        return
    host: Host = request.getfixturevalue("host")
    host.clean()
    before = host.last_residue()
    host.begin()
    yield
    stubborn = host.end_all()
    deadline = time.monotonic() + NETNS_TEARDOWN * host.patience
    while left := difference(before, host.residue()):
        if time.monotonic() > deadline:
            pytest.fail(f"left behind on {host}:\n{left}", pytrace=False)
        time.sleep(0.02)
    assert not stubborn, f"SIGTERM and the end of its input did not end {stubborn}"
