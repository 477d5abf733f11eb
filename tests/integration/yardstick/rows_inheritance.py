"""What a program inherits is the caller's: limits, priorities, signals ignored and blocked, arguments, environment."""

import json
import os
import resource
import signal
from collections.abc import Callable, Iterator
from typing import Any

from .measure import BLOCKABLE, Ended, HungError, Measure, Process, Word, libc, signals_in
from .rows import Check, judged, row, table, unasked

PR_SET_TIMERSLACK, PR_SET_THP_DISABLE = 29, 41  # linux/prctl.h
ADDR_NO_RANDOMIZE = 0x0040000  # linux/personality.h
SYS_ioprio_set, IOPRIO_WHO_PROCESS, BEST_EFFORT_6 = 251, 1, 2 << 13 | 6  # asm/unistd_64.h, linux/ioprio.h

LIMITS = {
    "RLIMIT_AS": (1 << 33, 1 << 34),
    "RLIMIT_CORE": (12288, 1 << 20),
    "RLIMIT_CPU": (1000, 2000),
    "RLIMIT_DATA": (1 << 31, 1 << 32),
    "RLIMIT_FSIZE": (1 << 30, 1 << 31),
    "RLIMIT_MEMLOCK": (1 << 20, 1 << 21),
    "RLIMIT_MSGQUEUE": (100_000, 200_000),
    "RLIMIT_NICE": (11, 12),
    "RLIMIT_NOFILE": (77, 99),
    "RLIMIT_NPROC": (10_000, 20_000),
    "RLIMIT_RSS": (1 << 30, 1 << 31),
    "RLIMIT_RTPRIO": (3, 4),
    "RLIMIT_RTTIME": (1 << 30, 1 << 31),
    "RLIMIT_SIGPENDING": (777, 999),
    "RLIMIT_STACK": (1 << 22, 1 << 23),
}
CHANGES: dict[str, Callable[[], object]] = {
    "umask": lambda: os.umask(0o027),
    "nice": lambda: os.nice(5),
    "scheduler": lambda: os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0)),
    "io priority": lambda: libc.syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, BEST_EFFORT_6),
    "affinity": lambda: os.sched_setaffinity(0, {max(os.sched_getaffinity(0))}),
    "oom_score_adj": lambda: write("/proc/self/oom_score_adj", "300"),
    "personality": lambda: libc.personality(ADDR_NO_RANDOMIZE),
    "transparent huge pages": lambda: libc.prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0),
    "timer slack": lambda: libc.prctl(PR_SET_TIMERSLACK, 77_777, 0, 0, 0),
    "supplementary groups": lambda: os.setgroups([7, 77]),
}


def write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def change() -> None:
    """Make everything that is inherited something else than usual."""
    for name, (soft, hard) in LIMITS.items():
        number = getattr(resource, name)
        most = resource.getrlimit(number)[1]
        if most != resource.RLIM_INFINITY:  # more would need a capability that not every root has
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(number, (soft, hard))
    for deed in CHANGES.values():
        deed()


INHERITED = (*CHANGES, "user and group", *LIMITS)


@table("S22", INHERITED)
def inherited(measure: Measure) -> Iterator[Check]:
    """Limits, priorities and the other attributes of a process are the caller's."""
    program = measure.probe("sees.py")
    usual = json.loads(measure.run(program).out)
    bare = json.loads(measure.run(program, before=change).out)
    ended = measure.launched(program, before=change)
    launched: dict[str, Any] = json.loads(ended.out) if ended.status == 0 else {}
    for name in INHERITED:
        assert usual[name] != bare[name] or name not in CHANGES, f"{name} could not be changed"
        rule = "the program has no supplementary groups" if name == "supplementary groups" else ""
        yield measure.verdict(name, bare[name], launched.get(name, ended), rule if launched.get(name) == [] else "")


@row("S22", ("runs on",))
def timer(measure: Measure, case: str) -> Check:
    """A timer of the caller's, which survives an exec, ends the program as it would bare."""
    script = ["sh", "-c", "echo on; read word; exit 7"]

    def set_timer() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.5 * measure.patience)

    def rings(running: Process) -> object:
        assert running.stdout is not None
        assert running.stdout.readline() == b"on\n"
        return running.wait(30 * measure.patience)

    both = [measure.start(argv, before=set_timer) for argv in (script, measure.launcher.command(script))]
    bare, launched = map(rings, both)
    return judged(case, bare, launched)


PLACES = ("/", "/usr/bin", "a folder that is gone", "--workdir")


@row("S22", PLACES)
def directory(measure: Measure, case: str) -> Check:
    """The program starts in `/`, or where --workdir says, wherever the caller stands."""
    if case == "--workdir":
        if not measure.launcher.is_contain:
            return unasked(case, "it has no such option")
        return judged(case, Ended(0, b"/usr/bin\n"), measure.launched(["pwd", "-P"], ("--workdir", "/usr/bin")))
    if case == PLACES[2]:
        caller = ("sh", "-c", 'cd "$(mktemp -d)" && rmdir "$PWD" && exec "$@"', "sh")
        return measure.compare(case, ["expr", "7"], caller=caller)
    rule = "the program starts in / unless --workdir says otherwise"
    return measure.compare(case, ["pwd", "-P"], directory=case, stated=rule if case != "/" else "")


PATTERNS: dict[str, tuple[frozenset[int], frozenset[int]]] = {
    "all ignored": (BLOCKABLE, frozenset()),
    "all blocked": (frozenset(), BLOCKABLE),
    "odd ignored, even blocked": (frozenset(n for n in BLOCKABLE if n % 2), frozenset(n for n in BLOCKABLE if not n % 2)),
    "even ignored, odd blocked": (frozenset(n for n in BLOCKABLE if not n % 2), frozenset(n for n in BLOCKABLE if n % 2)),
    "nothing": (frozenset(), frozenset()),
}
LOST: dict[int, str] = {signal.SIGPIPE: "SIGPIPE", signal.SIGXFSZ: "SIGXFSZ"}
DISPOSITIONS = [f"{number} {pattern}" for pattern in PATTERNS for number in sorted(BLOCKABLE)]


@table("S16", DISPOSITIONS)
def dispositions(measure: Measure) -> Iterator[Check]:
    """Each signal is ignored or blocked for the program if it was for the launcher."""
    program = ["grep", "-E", "^Sig(Blk|Ign|Cgt|Pnd)|^ShdPnd", "/proc/self/status"]
    for pattern, (ignored, blocked) in PATTERNS.items():

        def before(ignored: frozenset[int] = ignored, blocked: frozenset[int] = blocked) -> None:
            for number in ignored:
                signal.signal(number, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

        bare = measure.run(program, before=before)
        try:
            launched = measure.launched(program, before=before)
        except HungError as error:
            launched = Ended(-signal.SIGKILL, err=str(error).encode())
        seen = [[signals_in(line.split()[1]) for line in ended.out.decode().splitlines()] for ended in (bare, launched)]
        for number in sorted(BLOCKABLE):
            names = ("pending", "pending", "blocked", "ignored", "caught")
            sets = [[name for name, found in zip(names, masks, strict=False) if number in found] for masks in seen]
            rule = f"whether the caller ignored {LOST[number]} is not known to Python: it is default" if number in LOST else ""
            stated = rule if sets == [["ignored"], []] else ""
            yield measure.verdict(f"{number} {pattern}", sets[0], sets[1] if len(seen[1]) == 5 else launched, stated)


ENVIRONMENTS: dict[str, list[bytes]] = {
    "nothing but PATH": [b"PATH=/usr/bin:/bin"],
    "doubled names": [b"PATH=/usr/bin:/bin", b"A=1", b"A=2", b"PATH=/bin"],
    "bytes that are no UTF-8": [b"PATH=/usr/bin:/bin", b"B=\xff\xfe", b"\x80=x"],
    "LANG=C": [b"LANG=C", b"PATH=/usr/bin:/bin"],
    "LC_ALL=POSIX": [b"LC_ALL=POSIX", b"PATH=/usr/bin:/bin"],
    "no equals sign": [b"PATH=/usr/bin:/bin", b"word", b"=x", b"EMPTY="],
    "an odd order": [b"Z=1", b"A=2", b"PATH=/usr/bin:/bin", b"M=3"],
    "PYTHON variables": [b"PATH=/usr/bin:/bin", b"PYTHONPATH=/tmp", b"PYTHONHOME=/tmp", b"PYTHONWARNINGS=error"],
    "ten thousand": [b"PATH=/usr/bin:/bin", *(b"N%d=%d" % (n, n) for n in range(10_000))],
}


@row("S26", ENVIRONMENTS)
def environments(measure: Measure, case: str) -> Check:
    """The environment is the caller's byte for byte, where it is passed on."""
    return measure.compare(case, ["cat", "/proc/self/environ"], environment=ENVIRONMENTS[case])


ARGUMENTS: dict[str, list[Word]] = {
    "none": [],
    "empty": ["", "", "x", ""],
    "dashes": ["-", "--", "-x", "--chroot", "--help", "-chroot"],
    "bytes that are no UTF-8": [b"\xff\xfe", b"\x80", "ä"],
    "blanks, quotes, wildcards": ["a b", "\n", "'\"", "*", "$HOME", "\\"],
    "a hundred thousand": [str(number) for number in range(100_000)],
    "the longest": ["x" * 131_071],
}


@row("S27", ARGUMENTS)
def arguments(measure: Measure, case: str) -> Check:
    """The arguments are the caller's byte for byte."""
    return measure.compare(case, ["sh", "-c", "cat /proc/$$/cmdline", *ARGUMENTS[case]])


CALLERS = ("ignores SIGCHLD: exit", "ignores SIGCHLD: death", "blocks everything: exit", "blocks everything: death")


@row("S17", CALLERS)
def callers(measure: Measure, case: str) -> Check:
    """A caller that ignores SIGCHLD or blocks everything gets the right status."""

    def before() -> None:
        if "SIGCHLD" in case:
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        else:
            signal.pthread_sigmask(signal.SIG_SETMASK, BLOCKABLE)

    return measure.compare(case, ["sh", "-c", "exit 9" if "exit" in case else "kill -KILL $$"], before=before)


FIRST = {"exit 0": "exit 0", "exit 7": "exit 7", "exit 255": "exit 255", "death": "kill -TERM $$; exit 7"}


@row("S17", FIRST)
def first(measure: Measure, case: str) -> Check:
    """As the first process of a pid namespace it ends with the program's status; a death is 128 and the signal's number."""
    caller = ("unshare", "--pid", "--fork", "--mount-proc")
    program = ["sh", "-c", FIRST[case]]
    if case == "death":  # which the first process of a namespace can't die of
        ended = measure.run([*caller, *measure.launcher.command(program)])
        return judged(case, Ended(128 + signal.SIGTERM), ended)
    return measure.compare(case, program, caller=caller)
