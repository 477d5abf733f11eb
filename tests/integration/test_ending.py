"""The launcher sees the program's end, whatever the program does to hide it, and can itself be ended."""

import signal

import pytest

from tests.integration.harness.host import DRIVERS, Host
from tests.integration.harness.link import PYTHON
from tests.integration.harness.running import Running

WAYS = (
    "a thread traced by the launcher has ended", "a thread traced by the launcher is stopped",
    "many threads traced by the launcher", "traced by the launcher itself", "a sibling",
    "a sibling that ends without a signal", "its first thread has ended",
)  # fmt: skip
LIMITS = ("--memory-limit", "64M", "--cpu-core-ids", "0")


def start(host: Host, host_tree: tuple[str, ...], way: str, *options: str) -> Running:
    host.put(f"{host_tree[1]}/tmp/endings.py", (DRIVERS / "endings.py").read_bytes())
    return host.contain(*host_tree, *options, "--", PYTHON, "-IS", "/tmp/endings.py", way)


@pytest.mark.parametrize("way", WAYS)
def test_the_end_is_seen(host: Host, host_tree: tuple[str, ...], way: str) -> None:
    ended = start(host, host_tree, way, *LIMITS).finished(10)
    assert (ended.status, ended.stderr) == (7, b"")


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "QUIT"])
def test_a_signal_ends_what_a_tracer_inside_holds(host: Host, host_tree: tuple[str, ...], name: str) -> None:
    running = start(host, host_tree, "a tracer inside holds on").wait_for("ending\n")
    host.until("grep -q '^State:.Z' /proc/$(cut -d' ' -f2 /proc/$1/task/$1/children)/status", str(running.pid))
    running.signal(name)
    assert running.finished(5).status == 7


def test_a_signal_ends_what_keeps_its_tracer_busy(host: Host, host_tree: tuple[str, ...]) -> None:
    running = start(host, host_tree, "children that stop again and again").wait_for("ending\n")
    running.signal("TERM")
    assert running.finished(5).status == -signal.SIGTERM


def test_signals_reach_a_program_whose_first_thread_has_ended(host: Host, host_tree: tuple[str, ...]) -> None:
    running = start(host, host_tree, "its first thread has ended and another handles signals").wait_for("ending\n")
    host.until("grep -q '^State:.Z' /proc/$(cut -d' ' -f2 /proc/$1/task/$1/children)/status", str(running.pid))
    running.signal("USR1")
    running.wait_for("handled\n")
    running.signal("TERM")
    assert running.finished(5).status == 7


def test_init_killed_from_outside_is_told(host: Host, rootfs: str) -> None:
    running = host.contain("--chroot", rootfs, *LIMITS, "--", "sh", "-c", "echo here; exec sleep 1000").wait_for("here\n")
    init = host.run("cat", f"/proc/{running.pid}/task/{running.pid}/children").text.split()[0]
    host.run("kill", "-KILL", init)
    ended = running.finished(5)
    assert ended.status == 125
    assert ended.stderr == b"contain: init: it was killed, and the kernel killed the program with it\n"


def test_a_program_killed_from_outside_ends_as_it_did(host: Host, rootfs: str) -> None:
    running = host.contain("--chroot", rootfs, *LIMITS, "--", "sh", "-c", "echo here; exec sleep 1000").wait_for("here\n")
    program = host.run("cat", f"/proc/{running.pid}/task/{running.pid}/children").text.split()[1]
    host.run("kill", "-KILL", program)
    ended = running.finished(5)
    assert (ended.status, ended.stderr) == (-signal.SIGKILL, b"")
