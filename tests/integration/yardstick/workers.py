"""Several jobs at a time, each worker a process of one thread: what it starts may be prepared by Python code."""

import ctypes
import json
import os
import struct
from collections.abc import Callable, Iterator, Sequence

from .measure import sweep
from .rows import Check

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def adopt_orphans() -> None:
    """Whoever loses its parent below this process becomes its child, so that nothing a launcher leaves gets away."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def spread(jobs: Sequence[Callable[[], Iterator[Check]]], workers: int) -> Iterator[Check]:
    """The checks of all jobs, in the order in which they are done."""
    queue, fill = os.pipe()
    answers, tell = os.pipe()
    pids = []
    for _ in range(min(workers, len(jobs))):
        pid = os.fork()
        if not pid:
            try:
                os.close(fill)
                os.close(answers)
                work(jobs, queue, tell)
            finally:
                os._exit(0)
        pids.append(pid)
    os.close(queue)
    os.close(tell)
    feeder = os.fork()  # the queue of a long table is longer than a pipe
    if not feeder:
        try:
            os.close(answers)
            for number in range(len(jobs)):
                os.write(fill, struct.pack("I", number))
        finally:
            os._exit(0)
    os.close(fill)
    with os.fdopen(answers, "rb") as lines:
        for line in lines:
            yield Check(**json.loads(line))
    for pid in [*pids, feeder]:
        os.waitpid(pid, 0)


def work(jobs: Sequence[Callable[[], Iterator[Check]]], queue: int, tell: int) -> None:
    """Take jobs by number until there is none left. Numbers are four bytes, which a pipe never parts."""
    adopt_orphans()
    while raw := os.read(queue, 4):
        for check in jobs[struct.unpack("I", raw)[0]]():
            line = json.dumps(check.as_dict()).encode() + b"\n"
            assert len(line) <= 4096, "longer lines could mix with those of other workers"
            os.write(tell, line)
        sweep()
