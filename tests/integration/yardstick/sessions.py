"""An interactive shell, or one command, on a terminal of its own, driven by pexpect and synchronised by words alone."""

import os
import re
import shlex
import shutil
import signal
import sys
import termios
from collections.abc import Callable, Sequence
from typing import Any

from .measure import DEFAULT, Launcher, Measure, Word, children, descendants, status_of, sweep
from .rows import Check, unasked

# pexpect is pure Python: the tests lend it to a host as a zip file beside this one.
LENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lent.zip")
PROMPT = "@prompt@ "
SHELLS = {
    "bash": ("--norc", "--noprofile", "--noediting", "-i"),
    "dash": ("-i",),
    "zsh": ("-f", "+o", "zle", "+o", "promptsp", "+o", "promptcr", "-i"),
}
WITHIN = 15.0


def pexpect() -> Any:
    """The module; None where there is none."""
    if LENT not in sys.path and os.path.exists(LENT):
        sys.path.append(LENT)
    try:
        import pexpect as module
    except ImportError:
        return None
    return module


def before_exec() -> None:
    """To be done before an exec: what Python ignores, or the tests' parent did, is not ignored.

    And the keys that send signals leave the terminal's output alone: a prompt that follows at once could be lost with it.
    """
    modes = termios.tcgetattr(0)
    modes[3] |= termios.NOFLSH
    termios.tcsetattr(0, termios.TCSANOW, modes)
    for number in DEFAULT:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


class Session:
    """A terminal with `words` on it; `launcher` says how programs are started there: None is bare."""

    def __init__(self, measure: Measure, words: Sequence[str], launcher: Launcher | None) -> None:
        self.measure, self.launcher = measure, launcher
        environment = {"PATH": os.environ.get("PATH", os.defpath), "PS1": PROMPT, "TERM": "dumb", "LANG": "C"}
        self.child = pexpect().spawn(
            words[0], list(words[1:]), timeout=WITHIN * measure.patience, echo=False, dimensions=(24, 80),
            env=environment, cwd="/", preexec_fn=before_exec,
        )  # fmt: skip
        self.child.delaybeforesend = None
        self.pid: int = self.child.pid

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        sweep()

    def hang_up(self) -> None:
        """Close the master's side: the terminal is gone."""
        self.child.closed = self.child.ptyproc.closed = True
        self.child.ptyproc.fileobj.close()

    @property
    def fd(self) -> int:
        """The master's side of the terminal."""
        return int(self.child.child_fd)

    def wait_for(self, pattern: str) -> str:
        """Until the terminal shows what matches; answers the first group, or all of it."""
        self.child.expect(pattern.encode())
        found: re.Match[bytes] = self.child.match
        return (found.group(1) if found.re.groups else found.group()).decode(errors="backslashreplace")

    def press(self, keys: str) -> None:
        """Type `keys`."""
        self.child.send(keys.encode())

    def line(self, words: str) -> None:
        """Type a line."""
        self.press(words + "\n")

    def prompt(self) -> None:
        """Until the shell asks for the next command."""
        self.wait_for(re.escape(PROMPT))

    def shell(self, command: str) -> None:
        """A command of the shell's own, and the prompt after it."""
        self.line(command)
        self.prompt()

    def ask(self, command: str) -> str:
        """What a command of the shell's own prints."""
        self.line(f'echo "answer=$({command})."')
        answer = self.wait_for(r"answer=([^\r\n]*)\.\r?\n")
        self.prompt()
        return answer

    def command(self, *program: str, options: Sequence[str] = ()) -> str:
        """The line that starts `program` here."""
        words = self.launcher.command(program, options) if self.launcher else program
        return shlex.join(os.fsdecode(word) for word in words)

    def probe(self, *words: str) -> str:
        """The line that starts the probe here."""
        return self.command(*map(os.fsdecode, self.measure.probe("terminal.py", *words)))

    def bare_probe(self) -> str:
        """The line that starts the probe where a launcher has been already."""
        return shlex.join(map(os.fsdecode, self.measure.probe("terminal.py")))

    def status(self) -> int:
        """The status of the last command, as the shell sees it."""
        self.line("echo status=$?.")
        answer = int(self.wait_for(r"status=(\d+)\."))
        self.prompt()
        return answer

    def foreground(self) -> int:
        """The foreground process group of the terminal."""
        return os.tcgetpgrp(self.fd)

    def job(self) -> int:
        """The process id of the shell's one job."""
        self.measure.until(lambda: len(children(self.pid)) == 1)
        return children(self.pid)[0]

    def settles(self, pid: int, state: str) -> bool:
        """Whether a process comes to be in `state`, a letter of /proc/PID/status."""
        return self.measure.until(lambda: status_of(pid).get("State", "-")[:1] in state, WITHIN)

    def left(self) -> int:
        """How many live processes are below the shell, once those that are about to end have ended."""

        def living() -> list[int]:
            return [pid for pid in descendants(self.pid) if status_of(pid).get("State", "Z")[:1] != "Z"]

        self.measure.until(lambda: not living(), WITHIN)
        return len(living())


def at_prompt(measure: Measure, shell: str, launcher: Launcher | None) -> Session:
    """A session with an interactive shell that waits for a command."""
    session = Session(measure, [shutil.which(shell) or shell, *SHELLS[shell]], launcher)
    session.prompt()
    return session


def lacking(*programs: str) -> str:
    """Why a case can't be asked on this host; empty if it can."""
    if pexpect() is None:
        return "pexpect is not there: the tests lend it"
    missing = [name for name in programs if not shutil.which(name)]
    return f"this host has no {', '.join(missing)}" if missing else ""


Start = Callable[[Launcher | None], Session]
Scenario = Callable[[Session], object]


def compare(measure: Measure, case: str, start: Start, scenario: Scenario, stated: str = "") -> Check:
    """`scenario` on a terminal where programs are started bare, and on one where they are launched: what it sees is equal."""
    seen: list[object] = []
    for launcher in (None, measure.launcher):
        with start(launcher) as session:
            try:
                seen.append(scenario(session))
            except (pexpect().TIMEOUT, pexpect().EOF) as error:
                if launcher is None:
                    raise
                awaited = str(error).partition("searcher: ")[2].partition("buffer")[0]
                seen.append(f"{type(error).__name__}: waited for {awaited} after {session.child.before[-200:]!r}")
    return measure.verdict(case, seen[0], seen[1], stated)


def alone(measure: Measure, program: Sequence[Word], launcher: Launcher | None) -> Session:
    """A session with `program` alone: it, or its launcher, leads the session."""
    words = launcher.command(program) if launcher else program
    return Session(measure, [os.fsdecode(word) for word in words], launcher)


def in_shell(measure: Measure, shell: str, scenario: Scenario, stated: str = "") -> Check:
    """`compare`, under an interactive shell with job control."""
    if why := lacking(shell):
        return unasked(shell, why)
    return compare(measure, shell, lambda launcher: at_prompt(measure, shell, launcher), scenario, stated)
