"""Steps that make cgroups, limit them and join them; v1, hybrid and v2 behind one face.

Sources: Documentation/admin-guide/cgroup-v1/{memory,cpusets,pids}.rst and cgroup-v2.rst. A group is made beneath the
launcher's own, so that no limit that binds the launcher is escaped; every limit is read back, and what did not take is a
failure. A group's directory is locked (flock) for as long as its launcher lives: the kernel lets the lock go at any death,
so that a directory nobody holds a lock on is a leftover, which the next launcher removes.
"""

import posix
from time import sleep

from contain import linux
from contain.blame import Blame, BlameV1, BlameV2
from contain.errors import ContainError, text, word
from contain.hierarchy import Hierarchy, read
from contain.step import Live, Step
from contain.values import PAGE, cpus, cpus_text

PREFIX = b"contain-"


class Limits:
    """What is asked for: `memory` in bytes, `cores` by number, `tasks` at most; each None for no limit."""

    def __init__(self, memory: "int | None", cores: "tuple[int, ...] | None", tasks: "int | None") -> None:
        self.memory, self.cores, self.tasks = memory, cores, tasks

    def controllers(self) -> "list[bytes]":
        """The controllers that can set these limits."""
        asked = ((b"memory", self.memory), (b"cpuset", self.cores), (b"pids", self.tasks))
        return [name for name, value in asked if value is not None]


class Group(Step):
    """On the host: one new group in one hierarchy, with its limits."""

    blame: "Blame | None" = None  # knows whose memory ran out, once the group has been made with a limit on memory
    join_file = b"cgroup.procs"

    def __init__(self, hierarchy: Hierarchy, parent: bytes, controllers: "list[bytes]", limits: Limits) -> None:
        self.hierarchy, self.parent, self.controllers, self.limits = hierarchy, parent, controllers, limits
        self.directory = hierarchy.path(parent)
        self.name = b""
        self.made = False
        self.fd = self.join_fd = -1

    def settings(self) -> "list[tuple[bytes, bytes]]":
        """File and value of every limit, in the order in which they are to be written."""
        raise NotImplementedError

    def __str__(self) -> str:
        where = f"{text(self.directory.rstrip(b'/'))}/contain-$$"
        parts = [f"mkdir {where}"]
        parts += [f"echo {value.decode()} > {name.decode()}" for name, value in self.settings()]
        return " && ".join(parts)

    def hint(self, errno: int) -> str:
        if errno == linux.EROFS:
            return "mount it read-write, or name a delegated group with --cgroup-parent"
        if errno == linux.EAGAIN:
            return "cgroup.max.descendants of a group above is reached"
        return ""

    def run(self, live: Live) -> None:
        self._create()
        for name, value in self.settings():
            self._set(name, value)
        self.join_fd = posix.open(self.join_file, posix.O_WRONLY | posix.O_CLOEXEC, dir_fd=self.fd)

    def _create(self) -> None:
        """Make the directory and hold its lock; another launcher's sweep may come between the two."""
        for attempt in range(100):
            self.name = PREFIX + b"%d" % posix.getpid() + (b".%d" % attempt if attempt else b"")
            path = self.directory + b"/" + self.name
            try:
                posix.mkdir(path, 0o700)  # who can open it can lock it, and that is nobody else's business
                self.made = True
                self.fd = posix.open(path, posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC)
                self._lock()
                posix.stat(self.join_file, dir_fd=self.fd)
                return
            except FileExistsError:
                continue
            except FileNotFoundError:
                if not self.made and not self.parent_again():
                    raise
                self.made = False
                if self.fd >= 0:
                    posix.close(self.fd)
                    self.fd = -1
        raise OSError(linux.EEXIST, "")

    def _lock(self) -> None:
        """Hold the lock that keeps sweepers away; a sweeper needs it for the moment of its rmdir, nobody else has a use for it.

        If root of another kind holds it for longer, the group is made without: no sweep can have the lock then either, and
        when it can, the program is in the group, which rmdir refuses to remove.
        """
        for _ in range(20):
            try:
                return linux.flock(self.fd, linux.LOCK_SH | linux.LOCK_NB)
            except BlockingIOError:
                sleep(0.001)
        return None

    def parent_again(self) -> bool:
        """Whether the parent was ours to make, and is there again."""
        return False

    def _set(self, name: bytes, value: bytes) -> None:
        deed = f"echo {value.decode()} > {text(self.directory)}/{self.name.decode()}/{name.decode()}"
        try:
            fd = posix.open(name, posix.O_WRONLY | posix.O_CLOEXEC, dir_fd=self.fd)
            try:
                posix.write(fd, value)
            finally:
                posix.close(fd)
            stored = read(name, self.fd).strip()
        except OSError as error:
            raise ContainError(deed, posix.strerror(error.errno or 0), self.hint(error.errno or 0)) from None
        if not same(name, value, stored):
            raise ContainError(deed, f"the kernel made {text(stored)} of it")

    def undo(self) -> None:
        try:
            if self.made:
                self.made = False
                self._remove()
        finally:  # not earlier: once the lock is gone, a sweeper may remove it, and another launcher make one of that name
            if self.fd >= 0:
                posix.close(self.fd)
                self.fd = -1

    def _remove(self) -> None:
        path = self.directory + b"/" + self.name
        for _ in range(50):  # the kernel may need a moment after the last process was reaped
            try:
                return posix.rmdir(path)
            except FileNotFoundError:
                return None
            except OSError as error:
                if error.errno != linux.EBUSY:
                    raise
                sleep(0.001)
        return posix.rmdir(path)

    def sweep(self) -> None:
        """Remove the groups that killed launchers left beside ours. Never fails: what is busy stays for the next."""
        sweep(self.directory)


def same(name: bytes, asked: bytes, stored: bytes) -> bool:
    """Whether the kernel stored what was asked: lists of cores by their members, memory to the page."""
    if name.endswith((b"cpus", b"mems")):
        return bool(stored) and cpus(asked) == cpus(stored)
    if name == b"memory.oom_control":
        return stored.startswith(b"oom_kill_disable " + asked + b"\n")
    if name.startswith(b"memory.") and asked.isdigit() and stored.isdigit() and name != b"memory.oom.group":
        return int(asked) // PAGE * PAGE == int(stored)
    return asked == stored


def _ours(name: bytes) -> bool:
    """Whether a launcher makes groups of that name: `contain-`, a number, and perhaps `.` and another."""
    number, dot, again = name.removeprefix(PREFIX).partition(b".")
    return name.startswith(PREFIX) and number.isdigit() and (not dot or again.isdigit())


def sweep(directory: bytes) -> "list[bytes]":
    """Remove every group of ours in `directory` that no launcher holds and no process is in; return their names."""
    removed: list[bytes] = []
    try:
        names = posix.listdir(directory)
    except OSError:
        return removed
    for name in names:
        if _ours(name):
            path = directory + b"/" + name
            try:
                fd = posix.open(path, posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC)
            except OSError:
                continue
            try:
                linux.flock(fd, linux.LOCK_EX | linux.LOCK_NB)
                posix.rmdir(path)
                removed.append(path)
            except OSError:
                pass
            finally:
                posix.close(fd)
    return removed


class GroupV1(Group):
    """A group of a v1 hierarchy. The program enters it by itself and late, so that setting up is not charged to it."""

    join_file = b"tasks"

    def settings(self) -> "list[tuple[bytes, bytes]]":
        found: list[tuple[bytes, bytes]] = []
        limits = self.limits
        if b"memory" in self.controllers and limits.memory is not None:
            value = b"%d" % limits.memory
            found.append((b"memory.oom_control", b"0"))  # inherited: where it is 1 who is over the limit waits for ever
            found += [(b"memory.limit_in_bytes", value), (b"memory.memsw.limit_in_bytes", value)]
        if b"cpuset" in self.controllers and limits.cores is not None:
            found += [(b"cpuset.mems", self._mems()), (b"cpuset.cpus", cpus_text(limits.cores).encode("ascii"))]
        if b"pids" in self.controllers and limits.tasks is not None:
            found.append((b"pids.max", b"%d" % limits.tasks))
        return found

    def _mems(self) -> bytes:
        """A new cpuset has no memory nodes, and nothing can join it until it has: those of its parent."""
        return read(self.directory + b"/cpuset.effective_mems").strip() or read(self.directory + b"/cpuset.mems").strip()

    def run(self, live: Live) -> None:
        super().run(live)
        if self.limits.memory is not None and b"memory" in self.controllers:
            self.blame = BlameV1(self.hierarchy.mount, self.directory + b"/" + self.name, self.fd, self.limits.memory)


class GroupV2(Group):
    """A group of the v2 hierarchy, with what has to be handed out on the way to it (`enable`: group, controllers)."""

    def __init__(
        self, hierarchy: Hierarchy, parent: bytes, controllers: "list[bytes]", limits: Limits,
        enable: "list[tuple[bytes, list[bytes]]]", leaf: bytes = b"", shared: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(hierarchy, parent, controllers, limits)
        self.enable, self.leaf, self.shared = enable, leaf, shared
        self.moved = False

    def settings(self) -> "list[tuple[bytes, bytes]]":
        found: list[tuple[bytes, bytes]] = []
        limits = self.limits
        if limits.memory is not None:
            found.append((b"memory.max", b"%d" % limits.memory))
            if posix.access(b"/proc/swaps", posix.R_OK):  # a kernel without swap has neither this file nor the other
                found.append((b"memory.swap.max", b"0"))
            found.append((b"memory.oom.group", b"1"))
        if limits.cores is not None:
            found.append((b"cpuset.cpus", cpus_text(limits.cores).encode("ascii")))
        if limits.tasks is not None:
            found.append((b"pids.max", b"%d" % limits.tasks))
        return found

    def __str__(self) -> str:
        parts = []
        if self.leaf:
            parts.append(f"mkdir {word(self.leaf)} && echo $$ > {word(self.leaf + b'/cgroup.procs')}")
        for group, names in self.enable:
            where = self.hierarchy.path(group)
            parts.append(f"echo {words(names)} > {word(where.rstrip(b'/') + b'/cgroup.subtree_control')}")
        if self.shared:
            parts.insert(1, f"mkdir --parents {word(self.directory)}")
        return " && ".join([*parts, super().__str__()])

    def run(self, live: Live) -> None:
        if self.leaf:
            posix.mkdir(self.leaf, 0o755)
            self.moved = True
            write(self.leaf + b"/cgroup.procs", b"0")
        self._hand_out()
        super().run(live)
        if self.limits.cores is not None:
            effective = read(b"cpuset.cpus.effective", self.fd).strip()
            if not effective or cpus(effective) != self.limits.cores:
                reason = f"the kernel gave {text(effective) or 'none'} of them"
                raise ContainError(f"--cpu-core-ids {cpus_text(self.limits.cores)}", reason)
        if self.limits.memory is not None:
            self.blame = BlameV2(self.hierarchy.mount, self.directory + b"/" + self.name, self.fd, self.limits.memory)

    def _hand_out(self) -> None:
        for group, names in self.enable:
            path = self.hierarchy.path(group)
            if self.shared and group == self.parent:
                try:
                    posix.mkdir(path, 0o755)
                except FileExistsError:
                    pass
            have = read(path + b"/cgroup.subtree_control").split()
            if any(name not in have for name in names):
                write(path + b"/cgroup.subtree_control", b" ".join([b"+" + name for name in names]))

    def parent_again(self) -> bool:
        if self.shared:  # the last launcher in it removed it while we came
            self._hand_out()
        return self.shared

    def undo(self) -> None:
        super().undo()
        try:
            if self.shared:
                posix.rmdir(self.directory)
            if self.moved:
                for group, names in reversed(self.enable):
                    path = self.hierarchy.path(group) + b"/cgroup.subtree_control"
                    write(path, b" ".join([b"-" + name for name in names]))
                write(self.directory + b"/cgroup.procs", b"0")
                posix.rmdir(self.leaf)
        except OSError as error:
            if error.errno not in (linux.EBUSY, linux.ENOENT):  # other containers are there still
                raise


def words(names: "list[bytes]") -> str:
    """Controllers as they are written to subtree_control."""
    return " ".join(["+" + name.decode() for name in names])


def write(path: bytes, value: bytes) -> None:
    """Write one value to a file of the cgroup file system. Raises OSError that names it."""
    try:
        fd = posix.open(path, posix.O_WRONLY | posix.O_CLOEXEC)
        try:
            posix.write(fd, value)
        finally:
            posix.close(fd)
    except OSError as error:
        raise ContainError(f"echo {value.decode()} > {word(path)}", posix.strerror(error.errno or 0)) from None


class JoinCgroups(Step):
    """In the program: enter the v1 groups, each by a write of the process itself, which is a thousand times faster than
    one by another. In a v2 group it was born: there a move costs 8 ms, even to where one is.
    """

    def __init__(self, groups: "list[Group]") -> None:
        self.groups = groups

    def __str__(self) -> str:
        parts = []
        for group in self.groups:
            where = f"{text(group.directory.rstrip(b'/'))}/contain-$$"
            parts.append(f"echo 0 > {where}/tasks" if group.hierarchy.version == 1 else f": born in {where}")
        return " && ".join(parts)

    def run(self, live: Live) -> None:
        for group in self.groups:
            if group.hierarchy.version == 1:
                posix.write(group.join_fd, b"0")
