"""What is left: orphans, children, the whole of it after a SIGKILL; and programs that trace or clone in unusual ways."""

import os
import select
import signal
import time
from collections.abc import Sequence

from .measure import Measure, children, descendants, status_of
from .rows import Check, judged, row, unasked
from .talk import Talk


class Watch:
    """Processes held by descriptors, so that their ends are seen whoever reaps them.

    `orphans` of them come to this process, when their parent dies.
    """

    def __init__(self, pids: Sequence[int], orphans: Sequence[int] = ()) -> None:
        self.orphans = orphans
        self.names = {pid: status_of(pid).get("Name", "") for pid in pids}
        self.fds = {os.pidfd_open(pid): pid for pid in pids}

    def reap(self) -> None:
        """As the machine's own init would: an init does not end before the dead of its namespace have been reaped."""
        for pid in self.orphans:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                continue

    def survivors(self, seconds: float) -> list[str]:
        """Who is still alive when the time is over."""
        deadline = time.monotonic() + seconds
        while self.fds and time.monotonic() < deadline:
            self.reap()
            for fd in select.select(list(self.fds), [], [], 0.01)[0]:
                os.close(fd)
                del self.fds[fd]
        alive = [f"{self.names[pid]}" for pid in self.fds.values()]
        for fd in self.fds:
            os.close(fd)
        self.fds = {}
        return sorted(alive)


VICTIMS = ("the launcher", "the launcher, stopped", "the init")


@row("S13", VICTIMS, alone=True)
def killed(measure: Measure, case: str) -> Check:
    """After SIGKILL of the launcher or of the init everything is dead within a second; who has no init's death to tell
    ends like the program, by SIGKILL, and who has says so and ends with 125."""
    talk = Talk(measure, measure.launcher.command(measure.probe("leaves.py", "children"))).ready()
    family = descendants(talk.pid)
    below = children(talk.pid)
    if case == "the init" and len(below) < 2:
        talk.running.kill()
        return unasked(case, "it has no init beside the program")
    if case == VICTIMS[1]:
        os.kill(talk.pid, signal.SIGSTOP)
    watch = Watch([talk.pid, *family], family)
    os.kill(below[0] if case == "the init" else talk.pid, signal.SIGKILL)
    alive = watch.survivors(1.0 * measure.patience)
    status = talk.wait(2)
    ends = (-signal.SIGKILL, 125) if case == "the init" else (-signal.SIGKILL,)
    return judged(case, ([], True), (alive, status in ends), f"{len(family)} below the launcher, status {status}")


@row("S24", ("",))
def left_behind(measure: Measure, case: str) -> Check:
    """Children that the program leaves are killed with it, and do not hold the launcher."""
    talk = Talk(measure, measure.launcher.command(measure.probe("leaves.py", "children"))).ready()
    watch = Watch(descendants(talk.pid))
    talk.say(b"\n")
    began = time.monotonic()
    status = talk.wait(5)
    took = time.monotonic() - began
    return judged(case, (3, []), (status, watch.survivors(1.0 * measure.patience)), f"the end took {took:.3f} s")


@row("S25", (10_000,))
def orphans(measure: Measure, case: str) -> Check:
    """Orphans are reaped: after 10,000 double forks there is no zombie. (A guest makes fewer.)"""
    count = measure.fewer(int(case), 40)
    talk = Talk(measure, measure.launcher.command(measure.probe("leaves.py", "orphans", str(count))))
    said = talk.hear(90)
    assert said == b"ready", f"`ready` was awaited, {said!r} came"
    zombies = [pid for pid in descendants(talk.pid) if status_of(pid).get("State", "?")[0] == "Z"]
    lasting = not measure.until(lambda: not any(status_of(pid).get("State", "?")[0] == "Z" for pid in zombies), 5)
    return judged(case, (False, 3), (lasting, talk.end()), f"{count} double forks")


TRACED = ("a signal", "an exec", "a death")


@row("S29", TRACED)
def traced(measure: Measure, case: str) -> Check:
    """A program that asks to be traced neither hangs nor confuses the launcher, though the launcher does not trace."""
    expected = -signal.SIGTERM if case == "a death" else 7
    return judged(case, expected, measure.launched(measure.probe("traced.py", case), within=15).status)


RELATIVES = ("a child", "a sibling", "siblings", "vfork")


@row("S30", RELATIVES)
def relatives(measure: Measure, case: str) -> Check:
    """No child that the program makes, even as the launcher's own, is taken for the program."""
    if case == "a child" or case == "vfork":
        return measure.compare(case, measure.probe("traced.py", case))
    return judged(case, 7, measure.launched(measure.probe("traced.py", case), within=15).status)  # bare, they would be ours
