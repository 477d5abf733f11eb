"""The one helper: run a command bare, run it through the launcher, under the same parent, and compare."""

import ctypes
import os
import resource
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .rows import FAILS, PASSES, STATED, Check

Word = str | bytes
Process = subprocess.Popen[bytes]
LIMIT = 30.0  # seconds that a launch may take on a machine of patience 1, however loaded

DEFAULT = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
BLOCKABLE = frozenset(range(1, 65)) - {signal.SIGKILL, signal.SIGSTOP, 32, 33}  # 32 and 33 are the C library's
libc = ctypes.CDLL(None, use_errno=True)


class HungError(Exception):
    """A command did not end."""


def shown(data: bytes) -> str:
    return repr(data) if len(data) <= 600 else f"{data[:300]!r} … {data[-300:]!r}"


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status or minus the signal, and what it said."""

    status: int
    out: bytes = b""
    err: bytes = b""

    def __repr__(self) -> str:
        return f"{ended_as(self.status)}, stdout {shown(self.out)}, stderr {shown(self.err)}"


def ended_as(status: int) -> str:
    return f"exit {status}" if status >= 0 else f"signal {-status}"


class Launcher:
    """A launcher as the words that stand before the program's."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        self.name = os.path.basename(self.words[0])

    @property
    def is_contain(self) -> bool:
        """Whether it takes contain's options; rows that need them are n/a for others."""
        return any(os.path.basename(word).startswith("contain") for word in self.words[:1])

    def command(self, program: Sequence[Word], options: Sequence[Word] = ()) -> list[Word]:
        """The words of a launch of `program`, with more `options` before the `--`."""
        words: list[Word] = list(self.words)
        if options:
            assert self.is_contain, "only contain's options are known"
            words[len(words) - 1 : len(words) - 1] = options
        return [*words, *program]


class Measure:
    """Commands bare and launched, side by side. `patience` stretches every limit, `folder` is scratch space."""

    def __init__(self, launcher: Launcher, folder: str, patience: float = 1.0, pairs: int = 200, seed: int = 4) -> None:
        self.launcher, self.folder, self.patience = launcher, folder, patience
        self.pairs, self.seed = pairs, seed
        self.probes = os.path.join(os.path.dirname(os.path.abspath(__file__)), "probes")

    def fewer(self, count: int, part: int) -> int:
        """`count`, or `1/part` of it in a guest: an emulated machine takes ten times as long for each."""
        return count if self.patience <= 2 else count // part

    def probe(self, name: str, *words: Word) -> list[Word]:
        """A program of `probes/`, as argv."""
        return ["/usr/bin/python3", "-IS", os.path.join(self.probes, name), *words]

    def start(
        self,
        argv: Sequence[Word],
        *,
        before: Callable[[], object] | None = None,
        environment: Sequence[bytes] | None = None,
        directory: Word = "/",
        keep: Sequence[int] = (),
        session: bool = True,
        **streams: Any,
    ) -> Process:
        """Start a command with default signals, in a session of its own, and after `before()` in the new process.

        `environment` is taken byte for byte, doubled names with it; `keep` are descriptors that stay open.
        """

        def prepare() -> None:
            if before:
                before()
            if environment is not None:
                execute(argv, environment)

        for name in ("stdin", "stdout", "stderr"):
            streams.setdefault(name, subprocess.PIPE)
        with default_signals():
            return subprocess.Popen(
                [os.fsencode(word) for word in argv],
                # Without it Python needs no copy of itself to start a program, which takes long on an emulated machine.
                preexec_fn=prepare if before or environment is not None else None,
                cwd=directory,
                pass_fds=keep,
                start_new_session=session,
                restore_signals=False,
                bufsize=0,
                **streams,
            )

    def run(self, argv: Sequence[Word], given: bytes = b"", within: float = LIMIT, **how: Any) -> Ended:
        """Start a command, give it `given` and its end, await its own end. Raises HungError."""
        return self.ended(self.start(argv, **how), given, within)

    def ended(self, running: Process, given: bytes = b"", within: float = LIMIT) -> Ended:
        """The end of a started command, with all that it said. Raises HungError."""
        try:
            out, err = running.communicate(given if running.stdin else None, within * self.patience)
        except subprocess.TimeoutExpired:
            running.kill()
            sweep()
            raise HungError(f"no end within {within:g} s: {running.args!r}") from None
        return Ended(running.returncode, out or b"", err or b"")

    def launched(self, program: Sequence[Word], options: Sequence[Word] = (), **how: Any) -> Ended:
        """`run`, through the launcher."""
        return self.run(self.launcher.command(program, options), **how)

    def compare(
        self,
        case: str,
        program: Sequence[Word],
        options: Sequence[Word] = (),
        stated: str = "",
        look: Callable[[Ended], object] = lambda ended: ended,
        caller: Sequence[Word] = (),
        **how: Any,
    ) -> Check:
        """The program bare and launched: `look` must see the same. `stated` names the exception where contain differs.

        `caller` are words before either command: a program that starts it.
        """
        expected = look(self.run([*caller, *program], **how))
        got = look(self.run([*caller, *self.launcher.command(program, options)], **how))
        return self.verdict(case, expected, got, stated)

    def verdict(self, case: str, expected: object, got: object, stated: str = "") -> Check:
        """A check of two observations."""
        differs = STATED if stated and self.launcher.is_contain else FAILS
        return Check(case, PASSES if expected == got else differs, repr(expected), repr(got), stated)

    def until(self, holds: Callable[[], bool], within: float = LIMIT) -> bool:
        """Poll until `holds()`; False when the time is over."""
        deadline = time.monotonic() + within * self.patience
        while not holds():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True

    @contextmanager
    def scratch(self) -> Iterator[str]:
        """A new folder, gone afterwards."""
        with tempfile.TemporaryDirectory(dir=self.folder) as path:
            yield path


@contextmanager
def default_signals() -> Iterator[None]:
    """What is started meanwhile finds no signal ignored or blocked, whatever Python and the tests' parent did."""
    if threading.current_thread() is not threading.main_thread():
        yield  # which can't set handlers; the main thread has done it
        return
    mask = signal.pthread_sigmask(signal.SIG_SETMASK, ())
    handlers = [(number, signal.signal(number, signal.SIG_DFL)) for number in DEFAULT]
    try:
        yield
    finally:
        for number, handler in handlers:
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def execute(argv: Sequence[Word], environment: Sequence[bytes]) -> None:
    """execvpe(3) with an environment that no dict could hold: doubled names, bytes of any kind."""
    words = [os.fsencode(word) for word in argv]
    libc.execvpe(words[0], strings(words), strings(environment))
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), words[0])


def strings(words: Sequence[bytes]) -> Any:
    """`words` as C has them: an array of pointers with a null at its end."""
    pointer: Any = ctypes.c_char_p
    return (pointer * (len(words) + 1))(*words, None)


def children(pid: int) -> list[int]:
    """The direct children of a process, the oldest first; none if it has gone."""
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                found += [int(word) for word in file.read().split()]
    except OSError:
        pass
    return found


def descendants(pid: int) -> list[int]:
    """All below a process."""
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def status_of(pid: int) -> dict[str, str]:
    """/proc/PID/status as a dict; empty if the process has gone. proc(5)."""
    try:
        with open(f"/proc/{pid}/status", errors="surrogateescape") as file:
            return {key: value.strip() for key, _, value in (line.partition(":") for line in file)}
    except OSError:
        return {}


def words_of(pid: int) -> bytes:
    """A process's command line, a NUL behind each word; empty if it has gone."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


def signals_in(mask: str) -> set[int]:
    """The signals of a bit set as /proc prints it."""
    bits = int(mask, 16)
    return {number for number in range(1, 65) if bits >> (number - 1) & 1}


def sweep() -> None:
    """End and reap all below this process, orphans too. What dies hands its own children on: hence the rounds."""
    while True:
        for pid in descendants(os.getpid()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.001)


def no_core() -> None:
    """To be done before an exec: no core dump."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
