"""What the demo types and shows: contained shells, spoken to through pipes, and their output on calm lines."""

import os
import select
import subprocess
import sys
import time

MARK = b"-- answered with "
PATIENCE = 10.0


class Page:
    """Where the demo writes: titles, what is typed, what comes back. Colour only on a terminal."""

    def __init__(self) -> None:
        self.colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def _paint(self, code: str, words: str) -> str:
        return f"\033[{code}m{words}\033[0m" if self.colour else words

    def title(self, words: str) -> None:
        """What is shown next."""
        print(f"\n{self._paint('1', words)}", flush=True)

    def typed(self, prompt: str, words: str) -> None:
        """A command, as somebody would type it, with a line of its own for what does not fit."""
        lines, length = [""], 0
        for part in words.replace(" --", "\0--").split("\0"):
            if lines[-1] and length + len(part) > 76:
                lines.append("")
                length = 4
            lines[-1] += (" " if lines[-1] else "") + part
            length += len(part) + 1
        shown = " \\\n      ".join(lines)
        print(f"  {self._paint('36', prompt + '$')} {shown}", flush=True)

    def output(self, words: str) -> None:
        """What a command answered."""
        for line in words.splitlines():
            print(f"    {line.expandtabs()}".rstrip(), flush=True)


class Shell:
    """A contained `sh` that reads commands from a pipe, as it would from a person."""

    def __init__(self, name: str, command: list[str], folder: str) -> None:
        self.name = name
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder
        )

    def type(self, line: str) -> None:
        """Send one command and do not wait for it."""
        assert self.process.stdin
        try:
            self.process.stdin.write(line.encode() + b"\necho '" + MARK + b"'$?\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended; answer() shows its last words

    def answer(self) -> tuple[str, int]:
        """The output of the command typed last, and its status; -1 if there is no answer in time."""
        assert self.process.stdout
        fd, got, until = self.process.stdout.fileno(), b"", time.monotonic() + PATIENCE
        while time.monotonic() < until:
            before, mark, after = got.partition(MARK)
            if mark and after.endswith(b"\n"):
                return before.decode(errors="replace"), int(after)
            if select.select([fd], [], [], 0.1)[0]:
                part = os.read(fd, 65536)
                if not part:
                    break
                got += part
        return got.decode(errors="replace"), -1

    def ask(self, line: str) -> tuple[str, int]:
        """Send one command and wait for its answer."""
        self.type(line)
        return self.answer()

    def end(self) -> int:
        """Let it end as it does at the end of its input, by force if need be; its wait status as subprocess tells it."""
        assert self.process.stdin
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        for stop in (self.process.terminate, self.process.kill):
            try:
                return self.process.wait(2)
            except subprocess.TimeoutExpired:
                stop()
        return self.process.wait()


def once(folder: str, words: list[str]) -> tuple[str, int]:
    """Run contain with these words in `folder`; all it says, and its status as subprocess tells it."""
    process = subprocess.Popen(
        [*own_command(), *words], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        said = process.communicate(timeout=PATIENCE)[0]
    except BaseException:
        process.terminate()  # not kill: it has a cgroup to take away
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
        raise
    return said.decode(errors="replace"), process.returncode


def own_command() -> list[str]:
    """The words that start this very contain again: its script, or the package where this process found it."""
    script = sys.argv[0]
    if os.path.isfile(script) and not script.endswith("__main__.py"):
        return [sys.executable, "-IS", os.path.abspath(script)]
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    start = f"import sys; sys.path.insert(0, {package!r}); from contain.cli import main; main()"
    return [sys.executable, "-IS", "-c", start]
