"""Steps that make and enter namespaces; namespaces(7)."""

import posix

from contain import linux
from contain.errors import text, word
from contain.step import Live, Step

IN_ROOT = linux.RESOLVE_IN_ROOT | linux.RESOLVE_NO_MAGICLINKS
OWN = linux.CLONE_NEWNS | linux.CLONE_NEWUTS | linux.CLONE_NEWIPC | linux.CLONE_NEWNET


class Unshare(Step):
    """In init: mounts, host name, System V IPC and the network of its own. (The pid namespace was made before its birth.)

    A launcher that itself runs in a chroot(2) has another root than its mount namespace; the program, which joins the
    namespace, would find that one. So init leaves the chroot at once, and puts the new root over the namespace's own.
    """

    def __str__(self) -> str:
        return "unshare --mount --uts --ipc --net"

    def hint(self, errno: int) -> str:
        if errno == linux.ENOSPC:
            return "a limit of /proc/sys/user/max_*_namespaces is reached"
        return ""

    def run(self, live: Live) -> None:
        linux.unshare(OWN)
        linux.go_to_the_namespaces_root()


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
    """In the program: enter what init has made. The root and the working directory become the new root.

    `root` is the descriptor of the directory that was asked for: what is joined must be that, and nothing that lies over it.
    """

    def __init__(self, root: int) -> None:
        self.root = root

    def hint(self, errno: int) -> str:
        return "something is mounted over the rootfs itself" if errno == linux.EXDEV else ""

    def __str__(self) -> str:
        return "nsenter --target INIT --mount --uts --ipc --net"

    def run(self, live: Live) -> None:
        linux.setns(live.init_fd, OWN)
        asked, found = posix.fstat(self.root), posix.stat(b"/")
        if (asked.st_dev, asked.st_ino) != (found.st_dev, found.st_ino):
            raise OSError(linux.EXDEV, "")


class UnshareCgroup(Step):
    """In the program, in its cgroups already: it sees them as the root, and not their names on the host."""

    def __str__(self) -> str:
        return "unshare --cgroup"

    def run(self, live: Live) -> None:
        linux.unshare(linux.CLONE_NEWCGROUP)


class WorkingDirectory(Step):
    """In the program, as the user it runs as: the directory it starts in.

    The root file system chooses where the path leads, so it is resolved in the root, through no link of /proc that leads to
    an open file; and what it led to must have a name in the root.
    """

    def __init__(self, path: bytes) -> None:
        self.path = path

    def __str__(self) -> str:
        return f"cd {word(self.path)}"

    def hint(self, errno: int) -> str:
        if errno == linux.EXDEV:
            return "it lies outside of the rootfs"
        return "links to open files, as in /proc/self/fd, are not followed" if errno == linux.ELOOP else ""

    def run(self, live: Live) -> None:
        root = posix.open(b"/", posix.O_PATH | posix.O_CLOEXEC)
        place = linux.openat2(root, self.path, posix.O_PATH | posix.O_DIRECTORY, IN_ROOT)
        posix.fchdir(place)
        posix.close(place)
        posix.close(root)
        if not linux.working_directory().startswith(b"/"):
            raise OSError(linux.EXDEV, "")
