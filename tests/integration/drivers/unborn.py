"""Children of the launcher killed before the program runs: `unborn.py CONTAIN ROOTFS ROUNDS OPTIONS…` prints what is wrong.

At many moments one of the two is killed: either the program has run, or it is said that it has not. Then the last moment
before the program: a lease on its file holds up execve(2), and the process is killed while it waits there.
"""

import contextlib
import fcntl
import os
import re
import signal
import subprocess
import sys
import time

contain, rootfs, rounds, *options = sys.argv[1:]
words = [contain, "--chroot", rootfs, "--quiet", *options, "--"]
signal.signal(signal.SIGIO, signal.SIG_IGN)


def children(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as listed:
            return list(map(int, listed.read().split()))
    except OSError:
        return []


def name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as comm:
            return comm.read().strip()
    except OSError:
        return ""


def ended(running: "subprocess.Popen[bytes]", victim: str, program_ran: bytes) -> None:
    said, told = running.communicate(timeout=30)
    lines = told.decode().splitlines()
    status = running.returncode
    if said == program_ran and status in (-9, 0) and not lines:
        return  # it was killed as a program, or the kill came too late
    if not said and status == -9 and victim == "the program" and not lines:
        return  # it ran, and had not said so yet
    if (
        said in (b"", program_ran)
        and status == 125
        and victim == "init"
        and lines[0].startswith("contain: init: it was killed")
    ):
        return
    if (
        not said
        and status == 125
        and len(lines) == 1
        and re.match(r"contain: (init: it ended|start: the process that)", lines[0])
    ):
        return
    print(f"{victim} killed: status {status}, said {said!r}, told {told!r}")


began = time.monotonic()
subprocess.run([*words, "true"], check=True)
launch = time.monotonic() - began
for number in range(int(rounds)):
    which = number % 2
    running = subprocess.Popen(
        [*words, "sh", "-c", "echo ran; exec sleep 1000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while len(family := children(running.pid)) <= which and running.poll() is None:
        pass
    time.sleep(launch * number / int(rounds) / 2)
    with contextlib.suppress(IndexError, ProcessLookupError):
        os.kill(family[which], signal.SIGKILL)
    ended(running, ("init", "the program")[which], b"ran\n")

path = f"{rootfs}/bin/leased"
subprocess.run(["cp", f"{rootfs}/bin/busybox", path], check=True)
with open(path, "rb") as held:
    running = subprocess.Popen([*words, "/bin/leased", "sleep", "1000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while len(family := children(running.pid)) < 2 and running.poll() is None:
        pass
    while running.poll() is None:  # whoever looks at the file just now has it open, too
        with contextlib.suppress(BlockingIOError):
            fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            break
    while running.poll() is None and not re.fullmatch("[0-9a-f]{12}", name(family[1])):
        pass
    os.kill(family[1], signal.SIGKILL)
    fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    said, told = running.communicate(timeout=30)
    if (
        running.returncode != 125
        or told != b"contain: start: the process that was to become the program was killed by signal 9 before it did\n"
    ):
        print(f"killed between READY and exec: status {running.returncode}, {told!r}")
os.unlink(path)
