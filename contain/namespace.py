"""Steps that make and enter namespaces; namespaces(7)."""

import posix

from contain import linux
from contain.errors import text, word
from contain.step import Live, Step

OWN = linux.CLONE_NEWNS | linux.CLONE_NEWUTS | linux.CLONE_NEWIPC | linux.CLONE_NEWNET


class Unshare(Step):
    """In init: mounts, host name, System V IPC and the network of its own. (The pid namespace was made before its birth.)"""

    def __str__(self) -> str:
        return "unshare --mount --uts --ipc --net"

    def hint(self, errno: int) -> str:
        if errno == linux.ENOSPC:
            return "a limit of /proc/sys/user/max_*_namespaces is reached"
        return ""

    def run(self, live: Live) -> None:
        linux.unshare(OWN)


class UnsharePid(Step):
    """In the launcher: every child from now on is born in a new pid namespace; the first is its init."""

    def __init__(self) -> None:
        self.own = -1

    def __str__(self) -> str:
        return "unshare --pid"

    def hint(self, errno: int) -> str:
        if errno == linux.ENOSPC:
            return "/proc/sys/user/max_pid_namespaces is reached"
        if errno == linux.EINVAL:
            return "the caller has left its pid namespace for its children: unshare --pid needs --fork"
        return ""

    def run(self, live: Live) -> None:
        self.own = posix.open(b"/proc/self/ns/pid", posix.O_RDONLY | posix.O_CLOEXEC)
        linux.unshare(linux.CLONE_NEWPID)

    def undo(self) -> None:
        if self.own >= 0:
            linux.setns(self.own, linux.CLONE_NEWPID)
            posix.close(self.own)
            self.own = -1


class Hostname(Step):
    """In init: the host name the program sees."""

    def __init__(self, name: bytes) -> None:
        self.name = name

    def __str__(self) -> str:
        return f"hostname {text(self.name)}"

    def run(self, live: Live) -> None:
        linux.sethostname(self.name)


class Join(Step):
    """In the program: enter what init has made. The root and the working directory become the new root."""

    def __str__(self) -> str:
        return "nsenter --target INIT --mount --uts --ipc --net"

    def run(self, live: Live) -> None:
        linux.setns(live.init_fd, OWN)


class UnshareCgroup(Step):
    """In the program, in its cgroups already: it sees them as the root, and not their names on the host."""

    def __str__(self) -> str:
        return "unshare --cgroup"

    def run(self, live: Live) -> None:
        linux.unshare(linux.CLONE_NEWCGROUP)


class WorkingDirectory(Step):
    """In the program, as the user it runs as: the directory it starts in."""

    def __init__(self, path: bytes) -> None:
        self.path = path

    def __str__(self) -> str:
        return f"cd {word(self.path)}"

    def run(self, live: Live) -> None:
        posix.chdir(self.path)
