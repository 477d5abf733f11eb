"""A program that leaves processes behind: `leaves.py orphans N`, and `leaves.py children`.

The first double-forks N times, says `ready` when all of them are gone from sight of their parent, and ends with its input.
The second leaves a child, a daemon in a session of its own, a stopped process and one that ignores every signal, says
`ready`, and ends with 3 after a line of input.
"""

import os
import signal
import sys
import time


def orphans(count: int) -> None:
    for _ in range(count):
        pid = os.fork()
        if not pid:
            os.fork()  # the child ends at once, the grandchild too, and nobody is left to wait for it
            os._exit(0)
        os.waitpid(pid, 0)


def linger() -> None:
    while True:
        time.sleep(1000)


def leave() -> None:
    """Four who live on."""
    for number in range(4):
        if os.fork():
            continue
        if number == 1:
            os.setsid()
            if os.fork():
                os._exit(0)
        elif number == 2:
            os.kill(os.getpid(), signal.SIGSTOP)
        elif number == 3:
            for name in range(1, 32):
                if name not in (signal.SIGKILL, signal.SIGSTOP):
                    signal.signal(name, signal.SIG_IGN)
        linger()


if sys.argv[1] == "orphans":
    orphans(int(sys.argv[2]))
else:
    leave()
os.write(1, b"ready\n")
os.read(0, 1)
sys.exit(3)
