"""Each signal that can be caught, sent to the launcher: `signals.py CONTAIN OPTIONS…` prints what didn't arrive once.

The program inside says each signal it gets; the next is sent when the one before has been heard.
"""

import select
import subprocess
import sys

SENT = [n for n in [*range(1, 32), *range(34, 65)] if n not in (9, 19)]
PROGRAM = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
print("ready", flush=True)
last = 0
while last < 3:
    number = signal.sigwaitinfo(range(1, 65)).si_signo
    last += number == signal.SIGUSR1
    print(number, flush=True)
"""
LAST = 10  # SIGUSR1: once among the others, once to see that nothing is on its way, once to end

contain, *options = sys.argv[1:]
words = [contain, *options, "--quiet", "--", "/usr/bin/python3", "-IS", "-c", PROGRAM]
running = subprocess.Popen(words, stdout=subprocess.PIPE, bufsize=0)
assert running.stdout is not None


def hear(seconds: float) -> bytes:
    """The next line, or nothing when the time is over."""
    assert running.stdout is not None
    ready, _, _ = select.select([running.stdout], [], [], seconds)
    return running.stdout.readline() if ready else b""


if hear(60) != b"ready\n":
    print("the program did not start")
else:
    for number in SENT:
        running.send_signal(number)
        if (heard := hear(10)) != b"%d\n" % number:
            print(f"signal {number} arrived as {heard!r}")
    running.send_signal(LAST)
    while (heard := hear(1)) != b"%d\n" % LAST:
        print(f"heard {heard!r} besides")
        if not heard:
            break
    if extra := hear(0.2):
        print(f"heard {extra!r} too often")
    running.send_signal(LAST)
try:
    running.wait(10)
except subprocess.TimeoutExpired:
    print("the program did not end")
    running.kill()
    running.wait()
