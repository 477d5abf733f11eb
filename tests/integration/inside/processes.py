"""The processes that tests start on this host: their streams are always read, so that none waits for a reader."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable


class Child:
    """A started program; `out` and `err` hold all that it has said."""

    def __init__(self, argv: list[bytes], env: dict[bytes, bytes] | None, cwd: bytes | None) -> None:
        pipe = subprocess.PIPE
        self.popen = subprocess.Popen(
            argv, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, env=env, cwd=cwd, start_new_session=True
        )
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        assert self.popen.stderr is not None
        self.stdin = self.popen.stdin
        self.said = {self.popen.stdout.fileno(): bytearray(), self.popen.stderr.fileno(): bytearray()}
        self.out, self.err = self.said.values()
        self.open = set(self.said)

    def read(self, fd: int) -> None:
        data = os.read(fd, 1 << 16)
        self.said[fd] += data
        if not data:
            self.open.discard(fd)

    def status(self) -> int | None:
        """As subprocess gives it: the exit status, or minus the signal."""
        return self.popen.poll()

    def forget(self) -> None:
        for stream in (self.popen.stdin, self.popen.stdout, self.popen.stderr):
            if stream:
                stream.close()


class Table:
    """All children by number."""

    def __init__(self) -> None:
        self.children: dict[int, Child] = {}
        self.count = 0
        self.death, told = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(told, warn_on_full_buffer=False)

    def start(self, argv: list[bytes], env: dict[bytes, bytes] | None, cwd: bytes | None) -> int:
        self.count += 1
        self.children[self.count] = Child(argv, env, cwd)
        return self.count

    def reap(self) -> None:
        """Collect the dead at once, orphans too, as the host's own init would: a zombie holds its namespace's init up."""
        known = {child.popen.pid: child for child in self.children.values()}
        try:
            while dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if dead.si_pid in known:
                    known[dead.si_pid].status()
                else:
                    os.waitpid(dead.si_pid, 0)
        except ChildProcessError:
            return

    def pump(self, until: Callable[[], bool], within: float, also: int = -1) -> bool:
        """Read what the children say until `until()` holds, `also` can be read, or the time is over."""
        deadline = time.monotonic() + within
        while True:
            self.reap()
            if until():
                return True
            poll = select.poll()
            poll.register(self.death, select.POLLIN)
            for child in self.children.values():
                for fd in child.open:
                    poll.register(fd, select.POLLIN)
            if also >= 0:
                poll.register(also, select.POLLIN)
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            ready = {fd for fd, _ in poll.poll(left * 1000)}
            if self.death in ready:
                os.read(self.death, 4096)
            for child in self.children.values():
                for fd in ready & child.open:
                    child.read(fd)
            if also in ready:
                return True

    def finish(self, within: float) -> list[str]:
        """End every child: its input's end and SIGTERM first, SIGKILL later. Answers who needed the latter."""
        for child in self.children.values():
            if child.status() is None:
                child.stdin.close()
                child.popen.send_signal(signal.SIGTERM)
        self.pump(lambda: all(c.status() is not None for c in self.children.values()), within)
        stubborn = []
        for child in self.children.values():
            if child.status() is None:
                stubborn.append(b" ".join(child.popen.args).decode("utf-8", "backslashreplace"))  # type: ignore[arg-type]
                child.popen.kill()
                child.popen.wait()
            child.forget()
        self.children.clear()
        return stubborn
