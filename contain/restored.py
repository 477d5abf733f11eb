"""Steps that give the program what of the caller's attributes it would not have; few launches need one.

Sources: sched(7), getrlimit(2), prctl(2), proc_pid_oom_score_adj(5).
"""

import posix

from contain import linux
from contain.step import Live, Step

UNLIMITED = (1 << 64) - 1
_NAMES = {linux.RLIMIT_NOFILE: "nofile", linux.RLIMIT_FSIZE: "fsize"}


class GiveLimits(Step):
    """In the program, last of all: the caller's limits, in place of those that the launcher took."""

    def __init__(self, limits: "dict[int, tuple[int, int]]") -> None:
        self.limits = limits

    def __str__(self) -> str:
        given = [f"--{_NAMES[which]}={soft}:{_shown(hard)}" for which, (soft, hard) in self.limits.items()]
        return f"prlimit --pid $$ {' '.join(given)}"

    def run(self, live: Live) -> None:
        for which, limit in self.limits.items():
            linux.resource_limit(which, limit)


def _shown(limit: int) -> str:
    return "unlimited" if limit == UNLIMITED else str(limit)


class Killable(Step):
    """In the program: with -1000 the kernel finds nobody to kill when the memory limit is reached, and the group hangs."""

    def __str__(self) -> str:
        return "echo -999 > /proc/self/oom_score_adj"

    def run(self, live: Live) -> None:
        fd = posix.open(b"/proc/self/oom_score_adj", posix.O_WRONLY | posix.O_CLOEXEC)
        posix.write(fd, b"-999")
        posix.close(fd)


class Policy(Step):
    """In the program: the scheduling policy and priority that SCHED_RESET_ON_FORK has taken from it, and that flag."""

    def __init__(self, policy: int, priority: int, nice: int) -> None:
        self.policy, self.priority, self.nice = policy, priority, nice

    def __str__(self) -> str:
        flagged = f"chrt --reset-on-fork --pid (policy {self.policy & ~linux.SCHED_RESET_ON_FORK}) {self.priority} $$"
        return f"renice --priority {self.nice} $$ && {flagged}"

    def run(self, live: Live) -> None:
        posix.setpriority(posix.PRIO_PROCESS, 0, self.nice)
        posix.sched_setscheduler(0, self.policy, posix.sched_param(self.priority))


class Parentage(Step):
    """In the program, as the user it runs as (a new user clears the first): what prctl(2) keeps over an exec and not a fork."""

    def __init__(self, death: int, reaper: int) -> None:
        self.death, self.reaper = death, reaper

    def __str__(self) -> str:
        return f"prctl PR_SET_PDEATHSIG {self.death} && prctl PR_SET_CHILD_SUBREAPER {self.reaper}"

    def run(self, live: Live) -> None:
        linux.prctl(linux.PR_SET_PDEATHSIG, self.death)
        linux.prctl(linux.PR_SET_CHILD_SUBREAPER, self.reaper)
