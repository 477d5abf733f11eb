"""A launch disturbed at any of its calls about mount points: `disturbed.py CONTAIN ROOT SOURCE STAYS HOW FIRST STEP`.

HOW is what happens there: `kill` is SIGKILL to the launcher, an errno's name is the answer of the call, `short` and `long` hold
the launcher there while another comes: one that lives longer, one that has gone when it goes on. Every STEP-th call is tried,
from number FIRST on. Afterwards one more launch must leave ROOT as it was, which has a /dev, but no /proc and no /file. STAYS
is 1 where what is made can't be marked; elsewhere a launch may find so if the mark is what it is refused, and what it then says
that stays may stay. What went wrong is printed. As `disturbed.py CONTAIN plant HOW NUMBER TELL HEAR
OPTIONS…` it is the launcher with the disturbance; TELL and HEAR are descriptors.
"""

import errno
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

CALLS = (
    "mkdir", "open", "close", "setxattr", "getxattr", "rmdir", "unlink", "fstat", "stat", "rename", "scandir", "listdir",
)  # fmt: skip
FLOCK, LOCK_EX = 73, 2  # asm/unistd_64.h, asm-generic/fcntl.h
MADE = ("proc", "file")
REFUSED = ("EPERM", "EACCES", "EOPNOTSUPP")  # what a file system says that takes no such attribute
REMOVAL = 0.1  # seconds that a launch may take to remove a place, once it has its lock; on a slow machine, too
LATE = 20.0  # seconds in which a launch on any machine has said its first word
LOOK = "[ -e /proc/self/stat ] && [ -c /dev/null ] && [ -s /file ]"
LONG = f"echo on; while read word; do if {LOOK}; then echo there; else echo lost; fi; done; exit 7"


def load(contain: str) -> None:
    """What bin/contain does, but for its last line, which starts it."""
    with open(contain, encoding="utf-8") as script:
        source = script.read().rpartition("\nmain()")[0]
    exec(compile(source, contain, "exec"), {"__file__": contain, "__name__": "__main__"})  # noqa: S102


def plant(contain: str, how: str, number: int, tell: int, hear: int, words: "list[str]") -> None:
    load(contain)
    import posix

    from contain import cli, linux, step

    point: Any = next(kind for kind in step.Step.__subclasses__() if kind.__name__ == "MountPoint")
    state = {"in": 0, "at": 0, "exclusive": 0}

    def disturb() -> "int | None":
        """Called before each call that counts; the errno that it is to have."""
        state["at"] += 1
        if state["at"] != number:
            return None
        here, state["in"] = state["in"], 0
        os.write(tell, b"e" if state["exclusive"] else b"p")
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if how in ("short", "long"):
            os.read(hear, 1)
        state["in"] = here
        return getattr(errno, how, None)

    def counted(name: str, call: "Callable[..., Any]") -> "Callable[..., Any]":
        def replaced(*given: Any, **more: Any) -> Any:
            if not state["in"]:
                return call(*given, **more)
            error = disturb()
            if error is not None:
                if name == "close":
                    call(*given)  # close(2) frees the descriptor even if it fails
                raise OSError(error, os.strerror(error))
            result = call(*given, **more)
            if name == "syscall" and given[0] == FLOCK:
                state["exclusive"] = given[2] & LOCK_EX
            return result

        return replaced

    def within(method: "Callable[..., None]") -> "Callable[..., None]":
        def inside(*given: Any) -> None:
            state["in"] = 1
            try:
                method(*given)
            finally:
                state["in"] = state["exclusive"] = 0

        return inside

    for name in CALLS:
        setattr(posix, name, counted(name, getattr(posix, name)))
    setattr(linux, "syscall", counted("syscall", linux.syscall))  # noqa: B010 - it is typed as it is
    point.run, point.undo = within(point.run), within(point.undo)
    caller: Any = cli
    caller.arguments = lambda: [word.encode() for word in words]
    sys.argv = [contain, *words]
    cli.main()


class Launch:
    """A launch, its streams in our hands; with `how`, the disturbed one."""

    def __init__(self, script: str, how: str = "", number: int = 0) -> None:
        words = ["--chroot", root, "--bind", f"{source}/word:/file:ro", "--", "sh", "-c", script]
        self.staying: set[str] = set()  # what it said that stays
        self.told, tell = os.pipe()
        hear, self.go = os.pipe()
        head = [sys.executable, "-IS", __file__, contain, "plant", how, str(number), str(tell), str(hear)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [*(head if how else [contain]), *words], stdin=pipe, stdout=pipe, stderr=pipe, pass_fds=(tell, hear) if how else ()
        )
        os.close(tell)
        os.close(hear)

    def held(self) -> bytes:
        """`p` or `e` (it holds an exclusive lock) when it has come to the call; nothing if it has said a word or ended."""
        assert self.process.stdout
        ready = select.select([self.told, self.process.stdout.fileno()], [], [], LATE)[0]
        return os.read(self.told, 1) if self.told in ready else b""

    def says(self, within: float = LATE) -> bytes:
        """Its next line; nothing if it takes longer."""
        assert self.process.stdout
        if not select.select([self.process.stdout], [], [], within)[0]:
            return b""
        line = b""
        while not line.endswith(b"\n") and (more := os.read(self.process.stdout.fileno(), 1)):
            line += more
        return line

    def looks(self) -> str:
        assert self.process.stdin
        try:
            self.process.stdin.write(b"look\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return "it has ended"
        said = self.says()
        return "" if said == b"there\n" else f"it looked and said {said!r}"

    def ended(self, *statuses: int) -> str:
        """What was wrong with its end."""
        os.close(self.go)
        try:
            _, err = self.process.communicate(timeout=LATE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            return f"it takes longer than {LATE:.0f} s"
        finally:
            os.close(self.told)
        lines = err.decode().splitlines()
        self.staying = {name for line in lines if "it stays" in line for name in MADE if f"{root}/{name}" in line}
        strange = [line for line in lines if not line.startswith("contain: ") or line.startswith("contain: bug: ")]
        if statuses == (7,):  # it was not disturbed
            strange = [line for line in lines if not (int(stays) and "it stays" in line)]
        return f"status {self.process.returncode}, {lines}" if self.process.returncode not in statuses or strange else ""


def broken(how: str, number: int) -> "tuple[bool, list[str], set[str]]":
    """Kill it there, or have the call fail. Whether it came there, what went wrong, and what it said that stays."""
    launch = Launch("exit 7", how, number)
    launch.process.wait(LATE)
    reached = launch.held() != b""
    said = launch.ended(-9) if how == "kill" and reached else launch.ended(7, 125)
    return reached, [said], launch.staying if how in REFUSED else set()


def overtaken(number: int) -> "tuple[bool, list[str]]":
    """Hold it there, until another that lives longer runs; or is about to, where it is just removing the place."""
    first = Launch("exit 7", "short", number)
    held = first.held()
    if not held:
        return False, [first.ended(7)]
    second = Launch(LONG)
    began = second.says(REMOVAL if held == b"e" else LATE)
    os.write(first.go, b"g")
    said = [first.ended(7)]
    began = began or second.says()
    return True, [*said, second.looks() if began else "it does not start", second.ended(7)]


def visited(number: int) -> "tuple[bool, list[str]]":
    """Hold it there until another has come and gone."""
    first = Launch(LONG, "long", number)
    if not first.held():
        return False, [first.ended(7)]
    said = Launch("exit 7").ended(7)
    os.write(first.go, b"g")
    return True, [said, first.looks() if first.says() else "it does not start", first.ended(7)]


def restore() -> "list[str]":
    """Remove what was left; answers its names."""
    left = sorted(set(os.listdir(root)) - set(before))
    for name in left:
        path = f"{root}/{name}"
        if os.path.isdir(path):
            os.rmdir(path)
        else:
            os.unlink(path)
    return left


if sys.argv[2] == "plant":
    contain, _, how, number, tell, hear, *words = sys.argv[1:]
    plant(contain, how, int(number), int(tell), int(hear), words)
contain, root, source, stays, how, first_number, step = sys.argv[1:]
before = sorted(os.listdir(root))
at, reached = int(first_number), True
while reached:
    staying: set[str] = set(MADE) if int(stays) else set()
    if how == "short":
        reached, said = overtaken(at)
    elif how == "long":
        reached, said = visited(at)
    else:
        reached, said, told = broken(how, at)
        staying |= told
        said.append(Launch("exit 7").ended(7))
    left = [name for name in restore() if name not in staying]
    if left:
        said.append(f"{left} stay")
    for line in said:
        if line:
            print(f"{how} at call {at}: {line}", flush=True)
    at += int(step)
