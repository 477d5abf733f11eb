"""What the caller hands down to the program: passed on as an exec would, or refused by name before anything is touched.

Most attributes of a process go to its children by themselves. Looked at here are the others:

- those that would disarm a limit that was asked for: the caller's cores, its oom_score_adj of -1000;
- those that leave the launcher too little for its own work: it takes what the hard limit allows, and the program gets the
  caller's own again;
- those that survive exec(2) and not fork(2): a scheduling policy with SCHED_RESET_ON_FORK, SCHED_DEADLINE, PR_SET_PDEATHSIG,
  PR_SET_CHILD_SUBREAPER.

Sources: sched(7), getrlimit(2), prctl(2), proc_pid_oom_score_adj(5), cpuset(7).
"""

import posix
import sys

from contain import linux
from contain.errors import ContainError
from contain.hierarchy import read_or_nothing
from contain.step import Live, Step
from contain.values import cpus_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

FILES = 40  # that a launch opens at most, beside those of its binds
FILES_PER_MOUNT = 2
MANY_OPEN = 1000  # a caller with more files open than this is not foreseen: the step that lacks one says so
STUB = 1024  # bytes of the larger stub, without the paths in it


class Handed:
    """What has to be done about the attributes of this process: the steps, by their place in a plan."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.before: list[Step] = []  # while the program has all privileges, and the host's /proc
        self.joined: list[Step] = []  # when it is in its cgroups
        self.last: list[Step] = []  # as the user it runs as, with nothing left to open


def look(
    cores: "tuple[int, ...] | None", memory: "int | None", mounts: int, paths: "tuple[bytes, ...]", performing: bool
) -> Handed:
    """Look at this process, and give it room for a launch. Raises ContainError for what can neither be passed on nor held.

    `cores` and `memory` are the limits asked for, `mounts` the number of binds and tmpfs, `paths` those that the exec stub
    has to hold; `performing` if the launch is to be done and not only told.
    """
    handed = Handed()
    _scheduling(handed)
    _limits(handed, FILES + FILES_PER_MOUNT * mounts, STUB + sum([len(path) + 1 for path in paths]), performing)
    if memory is not None and read_or_nothing(b"/proc/self/oom_score_adj").strip() == b"-1000":
        handed.before.append(_restored().Killable())
        handed.warnings.append("oom_score_adj is -1000, and a memory limit could kill nobody: the program's is -999")
    if cores is not None:
        handed.joined.append(Affinity(cores))
    death, reaper = linux.prctl_get(linux.PR_GET_PDEATHSIG), linux.prctl_get(linux.PR_GET_CHILD_SUBREAPER)
    if death or reaper:
        handed.last.append(_restored().Parentage(death, reaper))
    return handed


def machine() -> str:
    """The kind of machine, as uname(2) has it without setarch(8): that makes a 64-bit process be told of a 32-bit machine."""
    told = posix.uname().machine
    return "x86_64" if told == "i686" and sys.maxsize >> 32 else told


def _scheduling(handed: Handed) -> None:
    policy = posix.sched_getscheduler(0)
    if policy & ~linux.SCHED_RESET_ON_FORK == linux.SCHED_DEADLINE:
        reason = "the caller's scheduling policy SCHED_DEADLINE can't be passed on: a task of that policy has no children"
        raise ContainError("start", reason, "chrt --other 0 contain …")
    if policy & linux.SCHED_RESET_ON_FORK:
        priority, nice = posix.sched_getparam(0).sched_priority, posix.getpriority(posix.PRIO_PROCESS, 0)
        handed.before.append(_restored().Policy(policy, priority, nice))


def _limits(handed: Handed, files: int, size: int, performing: bool) -> None:
    """Take what a launch needs of open files and of file size (its two stubs are files), for as long as it lasts.

    What is open already counts: a caller may have left little of a limit that is high enough by itself.
    """
    soft, hard = linux.resource_limit(linux.RLIMIT_NOFILE)
    raised = {}
    if soft < files + MANY_OPEN:
        opened = len(posix.listdir(b"/proc/self/fd")) - 1  # but for the one it was looked at by
        if soft < files + opened:
            raised[linux.RLIMIT_NOFILE] = soft, hard
            if hard < files + opened and performing:
                reason = f"the limit of open files is {hard}, {opened} are open, and a launch opens {files} more"
                raise ContainError("start", reason, f"ulimit -n {files + opened}")
            linux.resource_limit(linux.RLIMIT_NOFILE, (min(files + opened, hard), hard))
    soft, hard = linux.resource_limit(linux.RLIMIT_FSIZE)
    if soft < size:
        raised[linux.RLIMIT_FSIZE] = soft, hard
        if hard < size and performing:
            reason = f"the limit of the file size is {hard} bytes, and a launch writes {size}"
            raise ContainError("start", reason, f"ulimit -f {size // 512 + 1}")
        linux.resource_limit(linux.RLIMIT_FSIZE, (min(size, hard), hard))
    if raised:
        handed.last.append(_restored().GiveLimits(raised))


def _restored() -> "ModuleType":
    """The steps that few launches need, loaded only for those, while nothing has been touched yet."""
    from contain import restored

    return restored


class Affinity(Step):
    """In the program, in its cpuset: exactly these cores. Linux 6.2 and newer keep what a caller set by sched_setaffinity(2),
    and a cpuset then only takes from it.
    """

    def __init__(self, cores: "tuple[int, ...]") -> None:
        self.cores = cores

    def __str__(self) -> str:
        return f"taskset --pid --cpu-list {cpus_text(self.cores)} $$"

    def run(self, live: Live) -> None:
        posix.sched_setaffinity(0, self.cores)
        given = tuple(sorted(posix.sched_getaffinity(0)))
        if given != self.cores:
            raise ContainError(f"--cpu-core-ids {cpus_text(self.cores)}", f"the kernel gave {cpus_text(given)} of them")
