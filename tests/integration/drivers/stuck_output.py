"""`--tty` and a standard output that takes no more: `stuck_output.py CONTAIN ROOTFS CASE` prints what is wrong."""

import fcntl
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
import time

contain, rootfs, chosen = sys.argv[1:]
TTY = [contain, "--chroot", rootfs, "--quiet", "--tty"]
LIMIT = 120


def start(words: list[str], stdout: int, third: int = -1) -> subprocess.Popen[bytes]:
    """`third`, if given, becomes descriptor 3 of the launcher."""
    given = third >= 0
    return subprocess.Popen(
        [*TTY, *words],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        pass_fds=(3,) if given else (),
        preexec_fn=(lambda: os.dup2(third, 3)) if given else None,
    )


def expect(what: str, wanted: object, got: object) -> None:
    if wanted != got:
        print(f"{what}: {wanted!r} was expected, {got!r} came")


def childless(pid: int) -> None:
    """Until the launcher has reaped all that it started."""
    while True:
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            if not children.read():
                break
        time.sleep(0.005)


def stuck(launcher: int, writer: int) -> None:
    """Until the pipe is full and `head` waits for room in its terminal."""
    while select.select([], [writer], [], 0)[1] or "(head) S" not in [named(pid) for pid in below(launcher)]:
        time.sleep(0.005)


def below(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        own = [int(word) for word in children.read().split()]
    return own + [one for child in own for one in below(child)]


def named(pid: int) -> str:
    """A process's name and state; proc_pid_stat(5)."""
    with open(f"/proc/{pid}/stat") as stat:
        return " ".join(stat.read().split()[1:3])


def signals_pass_while_it_is_stuck() -> None:
    """The program hears SIGTERM; a second one ends the launcher, which still has output that nobody takes."""
    hear, tell = os.pipe()
    script = "trap 'echo caught >&3; exit 5' TERM; head -c 1000000 /dev/zero & echo ready >&3; wait"
    reader, writer = os.pipe()
    running = start(["--preserve-fds", "1", "--", "sh", "-c", script], writer, tell)
    os.close(tell)
    with os.fdopen(hear, "rb", 0) as said:
        expect("first", b"ready\n", said.readline())
        stuck(running.pid, writer)
        os.close(writer)
        running.send_signal(signal.SIGTERM)
        expect("then", b"caught\n", said.readline())
    childless(running.pid)
    running.send_signal(signal.SIGTERM)
    expect("status", -signal.SIGTERM, running.wait(LIMIT))
    os.close(reader)


def nothing_is_lost_however_late_it_is_taken() -> None:
    """The program has long ended when its output is read; its status is told after that.

    The pipe holds little, as it may anyhow: of small pieces a page takes only a few. The rest fits into the terminal.
    """
    hear, tell = os.pipe()
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    running = start(["--preserve-fds", "1", "--", "sh", "-c", "echo ready >&3; seq 3000; exit 5"], writer, tell)
    os.close(writer)
    os.close(tell)
    with os.fdopen(hear, "rb", 0) as said:
        expect("first", b"ready\n", said.readline())
    childless(running.pid)
    with os.fdopen(reader, "rb") as said:
        wanted = b"".join(b"%d\r\n" % number for number in range(1, 3001))
        expect("output", True, said.read() == wanted)
    expect("status", 5, running.wait(LIMIT))


def a_socket_is_written_to_as_well() -> None:
    """A service manager gives a socket for standard output."""
    here, there = socket.socketpair()
    running = start(["--", "sh", "-c", "seq 30000; exit 5"], there.fileno())
    there.close()
    with here.makefile("rb") as said:
        lines = said.read().splitlines()
    expect("lines", (30000, b"30000"), (len(lines), lines[-1]))
    expect("status", 5, running.wait(LIMIT))


def a_vanished_socket_hangs_the_terminal_up() -> None:
    """As a closed pipe does."""
    here, there = socket.socketpair()
    running = start(["--", "yes"], there.fileno())
    there.close()
    here.recv(1)
    here.close()
    expect("status", -signal.SIGHUP, running.wait(LIMIT))


def a_terminal_that_the_program_has_closed_costs_nothing() -> None:
    """No time of the processor is spent on waiting for a program that has left its terminal."""
    spent = []
    for script in ("exit 0", "exec <&- >&- 2>&-; exec sleep 3"):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        expect("status", 0, start(["--", "sh", "-c", script], subprocess.DEVNULL).wait(LIMIT))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    if spent[1] - spent[0] > 1.5:
        print(f"a program that sleeps for 3 seconds costs {spent[1] - spent[0]:.1f} s more than one that does nothing")


threading.Timer(LIMIT, os._exit, (99,)).start()  # whatever hangs: an end, and a status that is a failure
globals()[chosen]()
sys.stdout.flush()
os._exit(0)
