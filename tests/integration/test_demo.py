"""`contain demo` shows what holds on this very host, and leaves nothing, however it ends."""

import signal

from tests.integration.harness.host import Host

WITHIN = 30


def place(host: Host) -> tuple[str, dict[str, str]]:
    """An empty folder for the demo's roots, and the environment that names it."""
    folder = host.new("demo")
    host.run("mkdir", folder)
    return folder, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR": folder}


def test_all_of_it_holds_and_nothing_is_left(host: Host) -> None:
    folder, environment = place(host)
    ran = host.contained("demo", env=environment, within=WITHIN).succeeded()
    assert ran.lines[-1] == "All of it held."
    assert ran.errors == ""
    assert "\033" not in ran.text
    host.run("rmdir", folder)


def test_kept_roots_are_there_to_try(host: Host) -> None:
    folder, environment = place(host)
    ran = host.contained("demo", "--keep", env=environment, within=WITHIN).succeeded()
    kept = host.run("find", folder, "-mindepth", "2", "-maxdepth", "2").lines
    assert sorted(path.rpartition("/")[2] for path in kept) == ["alpha", "beta"]
    assert all(f"contain chroot {name} " in ran.text for name in ("alpha", "beta"))
    host.run("rm", "-r", folder)


def test_ended_in_the_middle_it_leaves_nothing(host: Host) -> None:
    folder, environment = place(host)
    running = host.contain("demo", env=environment)
    host.until('ls "$1"/*/beta', folder)
    running.signal(signal.SIGTERM)
    ended = running.finished(WITHIN)
    assert (ended.status, ended.errors) == (1, "contain: demo: interrupted\n")
    host.run("rmdir", folder)


def test_it_is_refused_without_root(host: Host, public_contain: str) -> None:
    ran = host.finish("setpriv", "--reuid", "65534", "--clear-groups", public_contain, "demo")
    assert ran.status == 125
    assert "needs root" in ran.errors
