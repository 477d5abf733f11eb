"""Signals reach the program once, and the launcher dies of the signal that the program died of."""

import signal

import pytest

from tests.integration.harness.host import Host


@pytest.mark.slow
def test_each_of_60_signals_to_the_launcher_arrives_once(host: Host, host_tree: tuple[str, ...]) -> None:
    assert host.drive("signals.py", *host_tree) == []


HELD = """
import sys
contain = sys.argv[1]
with open(contain, encoding="utf-8") as script:
    source = script.read().rpartition("\\nmain()")[0]
exec(compile(source, contain, "exec"), {"__file__": contain, "__name__": "__main__"})
from contain import cli, namespace
unshare = namespace.UnsharePid.run
def held(*given):
    print("held", file=sys.stderr, flush=True)
    sys.stdin.readline()
    unshare(*given)
namespace.UnsharePid.run = held
sys.argv = sys.argv[1:]
cli.main()
"""


def test_a_signal_in_the_middle_of_a_launch_ends_it(host: Host, rootfs: str) -> None:
    """The launch is held before its last step on the host."""
    words = (host.contain_path, "--chroot", rootfs, "--", "echo", "ran")
    running = host.start("/usr/bin/python3", "-IS", "-c", HELD, *words).wait_for("held")
    running.signal("TERM")
    running.write("\n")
    assert (running.exit_status, running.stdout) == (-signal.SIGTERM, b"")


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "QUIT", "USR1", "ALRM"])
def test_a_program_without_handlers_dies_of_it(host: Host, rootfs: str, name: str) -> None:
    """Also where it would be the first process of its namespace, which ignores such signals, but for the init."""
    running = host.contain("--chroot", rootfs, "--", "sleep", "1000")
    host.until(
        'for pid in $(cat /proc/$1/task/$1/children); do grep -q "^sleep" /proc/$pid/cmdline && exit; done; exit 1',
        str(running.pid),
    )
    running.signal(name)
    assert running.finished(5).status == -signal.Signals[f"SIG{name}"]


def test_a_signal_is_the_programs_from_its_first_word_on(host: Host, rootfs: str) -> None:
    """Many times: who has read the program's output knows that it runs, though the launcher may not have seen it yet."""
    assert host.drive("first_word.py", rootfs, str(host.rounds(50))) == []


def test_a_program_may_handle_a_signal_and_go_on(host: Host, rootfs: str) -> None:
    script = "trap 'echo caught' USR1; trap 'exit 5' TERM; echo on; while :; do sleep 1 & wait; done"
    running = host.contain("--chroot", rootfs, "--", "sh", "-c", script).wait_for("on")
    running.signal("USR1")
    running.wait_for("caught").signal("TERM")
    assert running.finished(5).status == 5


def test_stopping_the_launcher_loses_nothing(host: Host, rootfs: str) -> None:
    running = host.contain("--chroot", rootfs, "--", "sh", "-c", "echo on; read word; echo $word; exit 4")
    running.wait_for("on").signal("STOP")
    running.write("told while stopped\n")
    running.signal("CONT")
    running.wait_for("told while stopped")
    assert running.exit_status == 4


def test_a_program_that_stops_itself_stops_the_launcher(host: Host, rootfs: str) -> None:
    running = host.contain("--chroot", rootfs, "--", "sh", "-c", "echo on; kill -STOP $$; echo back").wait_for("on")
    host.until("grep -q '^State:.T' /proc/$1/status", str(running.pid))
    running.signal("CONT")
    running.wait_for("back")
    assert running.exit_status == 0


@pytest.mark.parametrize("ignored", ["HUP,USR2", "INT,QUIT", "CHLD", "TERM"])
def test_what_the_caller_ignores_is_ignored_inside(host: Host, rootfs: str, ignored: str) -> None:
    ignoring = ("env", f"--ignore-signal={ignored}")  # dash can't ignore SIGCHLD
    look = ("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status")
    bare = host.run(*ignoring, f"{rootfs}/bin/busybox", *look)
    ran = host.run(*ignoring, host.contain_path, "--chroot", rootfs, "--", *look)
    assert ran.lines == bare.lines
    assert ran.lines[1].split()[1] != "0" * 16


def test_a_caller_that_ignores_sigchld_gets_the_right_status(host: Host, rootfs: str) -> None:
    words = ("--chroot", rootfs, "--", "sh", "-c", "exit 9")
    assert host.finish("env", "--ignore-signal=CHLD", host.contain_path, *words).status == 9


def test_a_caller_that_blocks_every_signal_gets_the_right_status(host: Host, rootfs: str) -> None:
    block = "import os, signal, sys; signal.pthread_sigmask(0, range(1, 65)); os.execv(sys.argv[1], sys.argv[1:])"
    words = ("--chroot", rootfs, "--", "sh", "-c", "grep ^SigBlk /proc/self/status; exit 9")
    ran = host.finish("/usr/bin/python3", "-c", block, host.contain_path, *words)
    assert ran.status == 9
    everything = sum(1 << n - 1 for n in [*range(1, 32), *range(34, 65)] if n not in (9, 19))
    assert int(ran.line.split()[1], 16) & everything == everything


def test_killing_its_whole_group_spares_the_caller(host: Host, rootfs: str) -> None:
    script = '"$@"; echo "the caller lives, status $?"'
    words = ("--chroot", rootfs, "--", "sh", "-c", "kill -KILL 0")
    assert host.shell(script, host.contain_path, *words).line == "the caller lives, status 137"
