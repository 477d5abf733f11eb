"""Ends: exit statuses, deaths by signals, core dumps, what the memory limit does, and reasons not to start."""

import os
import resource
import signal
from collections.abc import Iterator

from .measure import Ended, Launcher, Measure, no_core
from .rows import Check, judged, row, table, unasked

STATUSES = range(256)
SIGNALS = (*range(1, 32), *range(34, 65))
STOPS = (19, 20, 21, 22)


@row("S01", STATUSES)
def exit_statuses(measure: Measure, case: str) -> Check:
    """Each exit status is the program's."""
    return judged(case, Ended(int(case)), measure.launched(["sh", "-c", f"exit {case}"]))


@row("S02", [number for number in SIGNALS if number not in STOPS])
def deaths(measure: Measure, case: str) -> Check:
    """A death by each signal is the launcher's; a signal that does not kill changes nothing."""
    return measure.compare(case, ["sh", "-c", f"kill -{case} $$; exit 7"])


def allow_core() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


CORES = ("allowed", "forbidden", "told in the wait status")


@row("S03", CORES)
def core_dumps(measure: Measure, case: str) -> Check:
    """The program dumps core under its own limit, the launcher never."""
    with open("/proc/sys/kernel/core_pattern") as file:
        pattern = file.read().strip()
    if pattern.startswith(("|", "/")):
        return unasked(case, f"core dumps of this host go elsewhere: {pattern}")
    before = no_core if case == "forbidden" else allow_core

    def dumps(launcher: Launcher | None) -> object:
        with measure.scratch() as outer, measure.scratch() as inner:
            program = ["sh", "-c", 'cd "$1" && kill -SEGV $$', "sh", inner]
            argv = launcher.command(program) if launcher else program
            running = measure.start(argv, before=before, directory=outer)
            running.communicate(b"", 30 * measure.patience) if case != CORES[2] else None
            if case == CORES[2]:
                _, status = os.waitpid(running.pid, 0)
                running.returncode = -os.WTERMSIG(status)
                running.communicate(b"")
                return {"killed by": os.WTERMSIG(status), "core dumped": os.WCOREDUMP(status)}
            return {"by the program": len(os.listdir(inner)), "where the launcher stands": len(os.listdir(outer))}

    rule = "the launcher dumps no core, so that its wait status does not say that one was dumped"
    return measure.verdict(case, dumps(None), dumps(measure.launcher), rule if case == CORES[2] else "")


KILLS = ("exit 137", "SIGKILL", "out of memory")


@row("S04", KILLS)
def kills(measure: Measure, case: str) -> Check:
    """Exit status 137, death by SIGKILL and death by the memory limit are three reports."""
    if case == KILLS[0]:
        return measure.compare(case, ["sh", "-c", "exit 137"])
    if case == KILLS[1]:
        return measure.compare(case, ["sh", "-c", "kill -KILL $$"])
    if not measure.launcher.is_contain:
        return unasked(case, "it sets no memory limit")
    eat = ["/usr/bin/python3", "-IS", "-c", "b'x' * (1 << 28)"]
    ended = measure.launched(eat, ("--memory-limit", "32MiB"))
    last = ended.err.decode(errors="replace").splitlines()[-1:]
    told = bool(last) and last[0].startswith("contain: killed: memory limit 32 MiB reached")
    return judged(case, (-signal.SIGKILL, b"", True), (ended.status, ended.out, told), repr(ended))


OWN = {
    "kill -TERM itself": ["sh", "-c", "kill -TERM $$; exit 7"],
    "kill -KILL itself": ["sh", "-c", "kill -KILL $$; exit 7"],
    "abort()": ["/usr/bin/python3", "-IS", "-c", "import os; os.abort()"],
    "a child of its own": ["sh", "-c", 'sh -c "kill -TERM \\$\\$"; exit $?'],
    "a trap": ["sh", "-c", 'trap "echo caught" TERM; kill -TERM $$; exit 7'],
}


@row("S05", OWN)
def own_signals(measure: Measure, case: str) -> Check:
    """A signal that the program sends itself does what it does bare."""
    return measure.compare(case, OWN[case])


FAILURES = {"not found": 127, "a directory": 126, "not executable": 126, "no interpreter": 127, "its own failure": 125}


@row("S28", FAILURES)
def failures(measure: Measure, case: str) -> Check:
    """126: it can't be executed, 127: it isn't found, 125: the launcher's own failure; each told with the launcher's name."""
    launcher = measure.launcher
    with measure.scratch() as folder:
        paths = {"a directory": folder, "not executable": "/etc/passwd", "no interpreter": f"{folder}/script"}
        with open(f"{folder}/script", "w") as file:
            file.write("#!/no/such/interpreter\n")
        os.chmod(f"{folder}/script", 0o755)
        argv = launcher.command([paths.get(case, "no-such-program")])
        if case == "its own failure":
            argv[1:1] = ["--no-such-option"]
        ended = measure.run(argv)
    name = launcher.name.encode() + (b": " if launcher.is_contain else b"")
    if not launcher.is_contain:
        return judged(case, (FAILURES[case], b"", True), (ended.status, ended.out, name in ended.err), repr(ended))
    named = bool(ended.err) and all(line.startswith(name) for line in ended.err.splitlines())
    return judged(case, (FAILURES[case], b"", True), (ended.status, ended.out, named), repr(ended))


REFUSALS = ("half a program", "open for writing")


@table("S31", REFUSALS)
def refusals(measure: Measure) -> Iterator[Check]:
    """What the kernel alone can refuse is told with the kernel's reason, and nothing else is said before it."""
    with measure.scratch() as folder:
        path = f"{folder}/program"
        with open("/bin/true", "rb") as source, open(path, "wb") as file:
            head = bytearray(source.read(64))
            head[56:58] = b"\0\0"  # no program header: the kernel executes no such file
            file.write(head)
        os.chmod(path, 0o755)
        yield refusal(measure, REFUSALS[0], path)
        with open("/bin/true", "rb") as source, open(path, "wb") as file:
            file.write(source.read())
            file.flush()
            yield refusal(measure, REFUSALS[1], path)


def refusal(measure: Measure, case: str, path: str) -> Check:
    try:
        bare = measure.run([path])
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
    else:
        return judged(case, bare, measure.launched([path]))  # this kernel executes it
    ended = measure.launched([path])
    said = ended.err.decode(errors="replace").lower()
    told = [line for line in said.splitlines() if "hint: " not in line]
    seen = Ended(ended.status, ended.out), len(told), reason in said
    return judged(case, (Ended(126), 1, True), seen, f"{reason}: {ended!r}")
