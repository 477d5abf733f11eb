"""A program on a terminal: `terminal.py [deaf]`. It says `ready`, then each signal it gets and how often it has had that one.

It answers the lines `count` (all signals so far), `size` (the window's), `who` (its session and groups) and `exit N`; at the
end of its input it exits with 0. `deaf` reads nothing, and exits with 6 when it gets SIGUSR2.
"""

import fcntl
import os
import select
import signal
import struct
import sys
import termios

HEARD = ("HUP", "INT", "QUIT", "TERM", "CONT", "WINCH", "USR1", "USR2")
counts = dict.fromkeys(HEARD, 0)
deaf = sys.argv[1:] == ["deaf"]


def say(line: str) -> None:
    os.write(1, line.encode() + b"\n")


def size() -> str:
    return "{} {}".format(*struct.unpack_from("HH", fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))))


def hear(number: int, _: object) -> None:
    name = signal.Signals(number).name.removeprefix("SIG")
    counts[name] += 1
    say(f"{name} {counts[name]}." + (f" size {size()}." if name == "WINCH" else ""))
    if deaf and name == "USR2":
        os._exit(6)


def answer(line: str) -> None:
    if line == "count":
        say("counts: " + " ".join(f"{name}={count}" for name, count in counts.items() if count) + ".")
    elif line == "size":
        say(f"size {size()}.")
    elif line == "who":
        say(f"who {os.getsid(0)} {os.getpgrp()} {os.tcgetpgrp(0)}.")
    elif line.startswith("exit "):
        os._exit(int(line[5:]))


# Python looks for signals between two steps of its own: one that comes just before a read would wait with it.
woken, wake = os.pipe2(os.O_NONBLOCK)
signal.set_wakeup_fd(wake)
for name in HEARD:
    signal.signal(getattr(signal, f"SIG{name}"), hear)
say("ready")
while True:
    ready, _, _ = select.select([woken] if deaf else [woken, 0], [], [])
    if woken in ready:
        os.read(woken, 4096)
    if 0 in ready:
        data = os.read(0, 4096)
        for line in data.decode().splitlines():
            answer(line)
        if not data:
            break
