"""A program that runs on a host, and one that has ended. Every wait has a limit and says what it waited for."""

import base64
import signal as signals
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .host import Host, Word


class MissedError(AssertionError):
    """Something awaited did not come."""


def shown(data: bytes, most: int = 2000) -> str:
    text = data.decode("utf-8", "backslashreplace")
    return text if len(text) <= most else f"… {text[-most:]}"


class Finished:
    """How a program ended. `status` is its exit status, or minus the number of the signal that ended it."""

    def __init__(self, command: str, status: int, stdout: bytes, stderr: bytes) -> None:
        self.command, self.status, self.stdout, self.stderr = command, status, stdout, stderr

    def __repr__(self) -> str:
        said = f"  stdout: {shown(self.stdout)}\n  stderr: {shown(self.stderr)}"
        return f"\n  command: {self.command}\n  status: {self.status}\n{said}"

    @property
    def text(self) -> str:
        return self.stdout.decode("utf-8", "backslashreplace")

    @property
    def line(self) -> str:
        """Its only line."""
        lines = self.text.splitlines()
        assert len(lines) == 1, f"one line was expected of {self}"
        return lines[0]

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def errors(self) -> str:
        return self.stderr.decode("utf-8", "backslashreplace")

    def succeeded(self) -> "Finished":
        assert self.status == 0, f"status 0 was expected of {self}"
        return self


class Running:
    """A program in the middle of its work."""

    def __init__(self, host: "Host", number: int, pid: int, command: str) -> None:
        self.host, self.number, self.pid, self.command = host, number, pid, command
        self.asked = 0
        self.end: Finished | None = None

    def __repr__(self) -> str:
        return f"{self.command} on {self.host}"

    def report(self, answer: dict[str, Any]) -> Finished:
        out, err = base64.b64decode(answer["out"]), base64.b64decode(answer["err"])
        return Finished(self.command, answer["status"], out, err)

    def wait_for(self, word: "Word", within: float = 20) -> "Running":
        """Until the program has said `word` on either stream."""
        from .host import latin

        answer = self.host.ask("wait_for", id=self.number, word=latin(word), within=within * self.host.patience)
        if not answer["met"]:
            state = self.report(answer)
            why = "the program ended" if state.status is not None else f"{within:g} s passed"
            raise MissedError(f"waited for {word!r}, but {why}: {state}")
        return self

    def finished(self, within: float = 20) -> Finished:
        """Until the program has ended and both its streams with it."""
        if self.end is None:
            answer = self.host.ask("wait", id=self.number, within=within * self.host.patience)
            if not answer["met"]:
                raise MissedError(f"waited {within:g} s for the end of {self.report(answer)}")
            self.end = self.report(answer)
        return self.end

    def state(self) -> Finished:
        """Where it stands, running or not; a running one has no status."""
        return self.end or self.report(self.host.ask("wait", id=self.number, within=0))

    def signal(self, name: str | int) -> None:
        """Send a signal by its name without SIG, or by its number."""
        number = name if isinstance(name, int) else int(signals.Signals[f"SIG{name}"])
        self.host.ask("signal", id=self.number, number=number)

    def write(self, data: "Word") -> None:
        from .host import latin

        try:
            self.host.ask("write", id=self.number, data=latin(data))
        except RuntimeError as error:
            if "BrokenPipe" not in str(error):
                raise
            raise MissedError(f"nobody reads what is written to {self.state()}") from None

    def close_stdin(self) -> None:
        self.host.ask("close", id=self.number)

    def attempt(self, command: str, within: float = 20) -> tuple[int, str]:
        """Have the contained shell run a command; its status and what it said on both streams."""
        self.asked += 1
        mark = f"<{self.number}.{self.asked}:"
        self.write(f"{{ {command}\n}} </dev/null 2>&1; echo '{mark}'$?'>'\n")
        self.wait_for(mark, within)
        text = self.said.decode("utf-8", "backslashreplace")
        before, _, after = text.partition(mark)
        _, _, tail = before.rpartition(f"<{self.number}.{self.asked - 1}:")
        said = tail.partition(">\n")[2] if self.asked > 1 else before
        return int(after.partition(">")[0]), said

    def succeed(self, command: str, within: float = 20) -> str:
        """`attempt`, and the command must have succeeded; answers what it said."""
        status, said = self.attempt(command, within)
        assert status == 0, f"{command!r} in {self} ended with {status}: {said}"
        return said

    def fail(self, command: str, within: float = 20) -> str:
        """`attempt`, and the command must have failed; answers what it said."""
        status, said = self.attempt(command, within)
        assert status != 0, f"{command!r} in {self} should have failed: {said}"
        return said

    @property
    def said(self) -> bytes:
        return base64.b64decode(self.host.ask("wait", id=self.number, within=0)["out"])

    @property
    def exit_status(self) -> int:
        return self.finished().status

    @property
    def stdout(self) -> bytes:
        return self.finished().stdout

    @property
    def stderr(self) -> bytes:
        return self.finished().stderr


Shell = Callable[..., Running]  # the fixture `shell`: options in, a contained shell out
