"""A conversation with a running command: lines heard with a time limit, signals sent in every way there is."""

import ctypes
import errno
import os
import select
import subprocess
import time
from collections.abc import Sequence

from .measure import HungError, Measure, Process, Word, libc

libc.sigqueue.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p)  # union sigval travels as a pointer does


def queue(pid: int, number: int, value: int) -> None:
    """sigqueue(3); waits while the queue of the receiver's user is full, as a sender must who wants none lost."""
    while libc.sigqueue(pid, number, value):
        code = ctypes.get_errno()
        if code != errno.EAGAIN:
            raise OSError(code, os.strerror(code))
        time.sleep(0.0005)


class Talk:
    """A command with its input and output in our hands; `name` tells whether it runs bare or launched."""

    def __init__(self, measure: Measure, argv: Sequence[Word], **how: object) -> None:
        self.running: Process = measure.start(argv, **how)  # type: ignore[arg-type]
        self.pid = self.running.pid
        assert self.running.stdin is not None
        assert self.running.stdout is not None
        self.input, self.output = self.running.stdin, self.running.stdout
        self.patience = measure.patience
        self.rest = b""

    def hear(self, seconds: float) -> bytes:
        """The next line; nothing when the time is over or the output has ended."""
        deadline = time.monotonic() + seconds * self.patience
        while b"\n" not in self.rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.output], [], [], left)[0]:
                return b""
            data = os.read(self.output.fileno(), 65536)
            if not data:
                return b""
            self.rest += data
        line, _, self.rest = self.rest.partition(b"\n")
        return line

    def ready(self) -> "Talk":
        """Until it has said `ready`."""
        said = self.hear(30)
        assert said == b"ready", f"`ready` was awaited, {said!r} came"
        return self

    def over(self) -> bool:
        """Whether the command has ended."""
        return self.running.poll() is not None

    def say(self, data: bytes) -> None:
        self.input.write(data)

    def wait(self, seconds: float = 30) -> int | None:
        """The status, whoever still holds the streams; None if the command has not ended."""
        try:
            return self.running.wait(seconds * self.patience)
        except subprocess.TimeoutExpired:
            return None

    def end(self, seconds: float = 30) -> int:
        """Close the input, await the end, of the streams too; answers the status as subprocess does."""
        try:
            if self.input.closed:
                self.running.stdin = None  # communicate would flush it
            self.running.communicate(None, seconds * self.patience)
        except subprocess.TimeoutExpired:
            self.running.kill()
            raise HungError(f"no end within {seconds:g} s: {self.running.args!r}") from None
        return self.running.returncode
