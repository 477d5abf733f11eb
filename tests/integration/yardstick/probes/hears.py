"""A program that catches every signal there is: `hears.py`, and `hears.py count N`.

The first says `ready`, and a line `NUMBER CODE VALUE` for each signal it gets. The second says nothing until it has had N
real-time signals and a SIGUSR2, or its input ends; then one JSON line tells how often each came and whether the values rose.
Both end when their input does.
"""

import ctypes
import itertools
import json
import os
import select
import signal
import struct
import sys

EVERY = b"\xff" * 8
libc = ctypes.CDLL(None)
libc.sigprocmask(signal.SIG_BLOCK, EVERY, None)
fd = libc.signalfd(-1, EVERY, os.O_NONBLOCK)
awaited = int(sys.argv[2]) if sys.argv[1:2] == ["count"] else -1
counts: dict[int, int] = {}
values: list[int] = []
os.write(1, b"ready\n")


def done() -> bool:
    return signal.SIGUSR2 in counts and sum(n for number, n in counts.items() if number >= 34) >= awaited >= 0


poll = select.poll()
poll.register(fd, select.POLLIN)
poll.register(0, select.POLLIN)
while not done():
    ready = {found for found, _ in poll.poll()}
    if fd in ready:
        while True:
            try:
                raw = os.read(fd, 128)
            except BlockingIOError:
                break
            number, _, code = struct.unpack_from("IiI", raw)
            value = struct.unpack_from("i", raw, 44)[0]  # ssi_int of struct signalfd_siginfo, signalfd(2)
            if awaited < 0:
                os.write(1, b"%d %d %d\n" % (number, code - (code >> 31 << 32), value))
            counts[number] = counts.get(number, 0) + 1
            if number >= 34:
                values.append(value)
    elif 0 in ready and not os.read(0, 4096):
        break
if awaited >= 0:
    rising = all(one < other for one, other in itertools.pairwise(values))
    os.write(1, json.dumps({"counts": counts, "rising": rising}).encode() + b"\n")
    while os.read(0, 4096):
        pass
