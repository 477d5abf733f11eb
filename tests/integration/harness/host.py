"""A host: the place where contain runs, with verbs. `host.contain(…)` reads like the command line it stands for."""

import base64
import json
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.integration.report.phases import phase

from .guest import PROVISIONED, Guest
from .link import PYTHON, Link
from .running import Finished, MissedError, Running

if TYPE_CHECKING:
    from .playbook import Played

Word = str | bytes
SILENT = 120.0  # seconds; a host that says nothing for longer than this and what it was told to wait is dead
DRIVERS = Path(__file__).parent.parent / "drivers"


def latin(word: Word) -> str:
    """The bytes of a word in a form that JSON can carry."""
    raw = word.encode("utf-8", "surrogateescape") if isinstance(word, str) else word
    return raw.decode("latin-1")


class Host:
    """`patience` stretches every time limit: a guest under emulation needs about thirteen times a real machine's.

    `ours` tells whether the host's network belongs to the tests: a private namespace or a guest, not a user's machine.
    `groups` are the inventory's. A virtual machine has a `guest`; its `provisioned` is how its playbook ended.
    """

    def __init__(
        self,
        name: str,
        way: Callable[[], Link],
        contain: str,
        *,
        patience: float = 1.0,
        ours: bool = True,
        groups: frozenset[str] = frozenset(),
    ) -> None:
        self.name, self.contain_path, self.patience, self.ours, self.groups = name, contain, patience, ours, groups
        self.way, self.link = way, way()
        self.guest: Guest | None = None
        self.provisioned: Played | None = None
        self.keep: str | None = None
        self.dirty = False  # a test failed or left something: what comes next should not meet it
        self.kept: list[str] = []
        self.standing: list[Callable[[], object]] = []
        self.ran: list[Running] = []
        self.fresh = self.asked = 0
        self.looked: tuple[int, dict[str, list[str]]] = (-1, {})
        self.folder = self.run("mktemp", "-d", "/root/contain-test.XXXXXX").line
        if "/" not in contain:  # some tests start it without a PATH
            self.contain_path = self.shell('command -v "$1"', contain).line

    def __repr__(self) -> str:
        return f"host {self.name}"

    def ask(self, verb: str, **what: Any) -> dict[str, Any]:
        """One question to the hand inside the host, one answer."""
        self.asked += 1
        self.link.patient(float(what.get("within", 0)) + SILENT)
        try:
            self.link.to_hand.write(json.dumps({"do": verb, "question": self.asked, **what}).encode() + b"\n")
            self.link.to_hand.flush()
            answer: dict[str, Any] = {}
            while answer.get("question") != self.asked:  # an earlier answer: whoever waited for it was interrupted
                line = self.link.from_hand.readline()
                if not line:
                    raise RuntimeError(f"{self}: the hand inside is gone (asked to {verb} {what})")
                answer = json.loads(line)
        except TimeoutError:
            raise RuntimeError(f"{self}: the hand inside has not answered in time (asked to {verb} {what})") from None
        del answer["question"]
        if "error" in answer:
            raise RuntimeError(f"{self}: {verb}: {answer['error']}")
        return answer

    def start(self, *argv: Word, env: Mapping[str, str] | None = None, cwd: Word | None = None) -> Running:
        """A program of the host itself, its three streams in our hands."""
        words = [latin(word) for word in argv]
        names = None if env is None else {latin(k): latin(v) for k, v in env.items()}
        answer = self.ask("start", argv=words, env=names, cwd=None if cwd is None else latin(cwd))
        shown = shlex.join(word.encode("latin-1").decode("utf-8", "backslashreplace") for word in words)
        self.ran.append(Running(self, answer["id"], answer["pid"], shown))
        return self.ran[-1]

    def finish(self, *argv: Word, within: float = 20, stdin: Word = b"", **how: Any) -> Finished:
        """Start a program, give it `stdin` and its end, await its end."""
        running = self.start(*argv, **how)
        if stdin:
            running.write(stdin)
        running.close_stdin()
        return running.finished(within)

    def run(self, *argv: Word, **how: Any) -> Finished:
        """`finish`, and the program must have succeeded."""
        return self.finish(*argv, **how).succeeded()

    def shell(self, script: str, *words: Word, **how: Any) -> Finished:
        """`run` of a shell script with `$1` and so on."""
        return self.run("sh", "-c", script, "sh", *words, **how)

    def contain(self, *words: Word, **how: Any) -> Running:
        """A contained program: the options, then `--`, then the program."""
        return self.start(self.contain_path, *words, **how)

    def contained(self, *words: Word, **how: Any) -> Finished:
        """A contained program that ended."""
        return self.finish(self.contain_path, *words, **how)

    def drive(self, driver: str, *words: Word, within: float = 120) -> list[str]:
        """Run a program of `drivers/` on the host: a long table by one process. Answers what it found wrong."""
        path = f"{self.folder}/{driver}"
        self.put(path, (DRIVERS / driver).read_bytes())
        return self.run(PYTHON, "-IS", path, self.contain_path, *words, within=within).lines

    def rounds(self, many: int) -> int:
        """How often to try what takes `many` rounds on a fast machine: less often where each costs more."""
        return max(many // int(self.patience), min(many, 12))

    def until(self, script: str, *words: Word, within: float = 5) -> None:
        """Until a shell script succeeds on the host."""
        deadline = time.monotonic() + within * self.patience
        while self.finish("sh", "-c", script, "sh", *words).status != 0:
            if time.monotonic() > deadline:
                raise MissedError(f"waited {within:g} s for {script!r} with {words} to succeed on {self}")
            time.sleep(0.01)

    def put(self, path: Word, data: bytes | str, mode: int = 0o755) -> None:
        raw = data.encode() if isinstance(data, str) else data
        self.ask("put", path=latin(path), data=base64.b64encode(raw).decode(), mode=mode)

    def new(self, name: str) -> str:
        """A path in the session's folder that nobody has used."""
        self.fresh += 1
        return f"{self.folder}/{self.fresh}.{name}"

    def remove(self, path: str) -> None:
        """A whole tree of ours, unless anything is mounted in it: what a failed test left bound there is not ours."""
        self.shell('if grep -qF " $1/" /proc/self/mountinfo; then echo "$1: mounts below" >&2; exit 1; fi; rm -rf "$1"', path)

    def residue(self) -> dict[str, list[str]]:
        """What a launch could leave behind, as it is there now."""
        found: dict[str, list[str]] = self.ask("residue")
        self.looked = self.asked, found
        return found

    def last_residue(self) -> dict[str, list[str]]:
        """`residue`; the last look is good enough if nothing has been asked of the host since."""
        when, found = self.looked
        return found if when == self.asked else self.residue()

    def begin(self) -> None:
        """A new test: what it starts and what the host says from now on is its own."""
        self.ran = []
        self.since = self.ask("clock")

    def lasting(self, make: Callable[[], object]) -> None:
        """Have `make` done now, and again whenever the host comes back without it: from a snapshot, or after a reboot."""
        make()
        self.standing.append(make)

    def come_back(self, *, provisioned: bool = True) -> None:
        """Reach the host anew, and have all that lasts made anew, unless there is no contain to make it with."""
        with phase(self.name, "connect"):
            self.link.abandon()
            self.link = self.way()
            self.shell('rm -rf "$1"; mkdir -m 700 "$1"', self.folder)
            for make in self.standing if provisioned else ():
                make()
        self.dirty = False

    def restore(self, snapshot: str = PROVISIONED) -> None:
        """A guest as it was provisioned, whatever tests have done to it."""
        assert self.guest is not None, f"{self} is no guest of ours, and can't be put back"
        with phase(self.name, "restore"):
            self.guest.restore(snapshot)
        self.come_back(provisioned=snapshot == PROVISIONED)

    def reboot(self) -> None:
        """Shut a guest down and boot it again."""
        assert self.guest is not None, f"{self} is no guest of ours, and can't be rebooted"
        with phase(self.name, "reboot") as now:
            for line in self.guest.reload():
                now.progress(line)
        self.come_back()

    def clean(self) -> None:
        """Before a test: back to the start if an earlier one left the host dirty, and failures kept where that was asked."""
        if not self.dirty or self.guest is None:
            return
        if self.keep == "failed" and len(self.kept) < 3:
            self.kept.append(f"failed-{len(self.kept) + 1}")
            with phase(self.name, f"snapshot {self.kept[-1]}"):
                self.guest.save(self.kept[-1])
        self.restore()

    def ssh_command(self, *words: str) -> list[str]:
        """The words with which OpenSSH runs a command on a guest; for what needs a login and a terminal of its own."""
        assert self.guest is not None, f"{self} is no guest of ours"
        return ["ssh", "-F", str(self.guest.ssh_config_path), "-o", "LogLevel=ERROR", *words]

    def diagnosis(self) -> Iterator[tuple[str, str]]:
        """What a person would ask for after a failure: titles and texts."""
        yield "programs", "\n".join(shown_running(running) for running in self.ran[-12:])
        yield from self.ask("diagnosis", **self.since).items()
        if self.guest:
            said = self.guest.console.read_text(encoding="utf-8", errors="backslashreplace")
            yield "console", "\n".join(said.splitlines()[-30:])

    def end_all(self) -> list[str]:
        """End what the test left running; answers what needed SIGKILL."""
        stubborn: list[str] = self.ask("finish", within=5 * self.patience)["stubborn"]
        return stubborn

    @property
    def facts(self) -> Any:
        """testinfra's view of the host: packages, files, services, interfaces."""
        return self.link.facts

    @property
    def cores(self) -> int:
        return int(self.run("nproc", "--all").line)

    def close(self) -> None:
        try:
            self.remove(self.folder)
        finally:
            self.link.close()


def shown_running(running: Running) -> str:
    """A program as a failure's report shows it, whether it has ended or not."""
    try:
        return str(running.state())
    except RuntimeError as error:
        return f"{running}: {error}"
