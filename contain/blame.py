"""Whose memory ran out when the kernel has killed in a group: the group's limit, that of a group above, or the machine.

Sources: cgroup-v1/memory.rst ("OOM Control"), cgroup-v2.rst (memory.events, memory.events.local), mm/oom_kill.c. What a kernel
counts in `oom_kill` is who was killed, at the group he was in; whose limit it was for, it tells elsewhere:

v1  An eventfd on memory.oom_control is counted up whenever its group *or one above* runs out, and when the group is removed.
    So it is no proof of a kill; but the topmost group whose eventfd was counted up is the one that ran out.
v2  `oom` in memory.events.local counts the times that a group's own limit ran out. Nobody need be woken for it: with
    memory.oom.group the whole group is killed at once.

`failcnt` (v1) is no witness by itself: to give up the cache of files for the asking counts it up, too.
"""

import posix
from time import monotonic

from contain.errors import text
from contain.hierarchy import read
from contain.values import size_text

LONGEST_WAIT = (
    1.0  # seconds; waits that double up to here, from a millisecond on, make one second for a kill to follow its event
)
UNLIMITED = 1 << 62  # bytes; what v1 shows for "no limit" is above that
MACHINE = "the machine ran out of memory"


class Blame:
    """Asked about one memory group: `path` (bytes) is its directory, `fd` (int) that directory opened, `limit` (int) in bytes.

    `groups` are the directories of the group and of those above it, nearest first, up to the top of what is mounted at `mount`.
    `whole` is False where that top is not the hierarchy's root: there may be groups above it that can't be seen from here.
    """

    event_fd = -1  # can be read when `look` should be called
    root_file, is_root = b"", True  # a file that only a root has, or that every other group has
    limit_file = peak_file = b""

    def __init__(self, mount: bytes, path: bytes, fd: int, limit: int) -> None:
        self.path, self.fd, self.limit = path, fd, limit
        self.whole = posix.access(mount + self.root_file, posix.F_OK) == self.is_root
        self.groups: list[bytes] = []
        while len(path) > len(mount):
            self.groups.append(path)
            path = path.rpartition(b"/")[0]
        if not self.whole:
            self.groups.append(mount)  # a root has no limit

    def patience(self) -> int:
        """Milliseconds after which `look` should be called again; -1 for never."""
        return -1

    def look(self, told: bool) -> bool:
        """Whether the kernel has killed in the group and left the rest of it to us. `told`: event_fd can be read."""
        return False

    def verdict(self) -> str:
        """Whose memory ran out, if the kernel has killed in the group; else empty. To be asked when the program has ended."""
        raise NotImplementedError

    def words(self, group: bytes) -> str:
        """What is said of one group that ran out."""
        if group == self.path:
            peak = number(self.peak_file, self.fd)  # Linux before 5.19 does not say it on v2
            return f"memory limit {size_text(self.limit)} reached" + (f", peak {size_text(peak)}" if peak else "")
        size = number(group + b"/" + self.limit_file)  # none: it has gone meanwhile, or the limit has
        return f"memory limit {size_text(size) + ' ' if 0 < size < UNLIMITED else ''}of cgroup {text(group)} reached"

    def hidden(self) -> "list[str]":
        """What is said of the groups that can't be seen."""
        return [] if self.whole else [f"a cgroup above {text(self.groups[-1])}, which can't be seen from here"]


def one_of(suspects: "list[str]") -> str:
    """What is said when it was one of these."""
    if len(suspects) == 1:
        return suspects[0]
    return f"it can't be told whose memory ran out: {'; '.join(suspects[:-1])}; or {suspects[-1]}"


def number(path: bytes, directory: "int | None" = None) -> int:
    """The number in a file; 0 where there is none."""
    try:
        return int(read(path, directory))
    except (OSError, ValueError):
        return 0


def counter(name: bytes, path: bytes, directory: "int | None" = None) -> int:
    """The number behind `name` in a file of such lines; 0 where there is none."""
    try:
        for line in read(path, directory).split(b"\n"):
            if line.startswith(name + b" "):
                return int(line[len(name) + 1 :])
    except OSError:  # others have removed the group
        pass
    return 0


class BlameV1(Blame):
    """On v1 the kernel kills one process of the group, and tells that it is about to, to neighbours as well."""

    root_file = b"/release_agent"
    limit_file, peak_file = b"memory.limit_in_bytes", b"memory.max_usage_in_bytes"

    def __init__(self, mount: bytes, path: bytes, fd: int, limit: int) -> None:
        super().__init__(mount, path, fd, limit)
        self.events: list[int] = []
        for group in self.groups:
            try:
                self.events.append(oom_event(group))
            except OSError:
                if not self.events:
                    raise
                break  # what happens there is told together with what happens further down
        self.event_fd = self.events[0]
        self.counts = [0] * len(self.events)
        self.settled = False
        self.pause = self.due = 0.0  # seconds: how long the next wait is, and until when

    def patience(self) -> int:
        return max(0, int((self.due - monotonic()) * 1000) + 1) if self.pause else -1

    def look(self, told: bool) -> bool:
        if not told and not (self.pause and monotonic() >= self.due):
            return False
        if self._count():
            self.pause = 0.0005
        if self._killed():
            self._count()  # event and kill may have come between the two; what comes from here on is another's
            self.settled = True
            return True
        self.pause *= 2
        if self.pause > LONGEST_WAIT:
            self.pause = 0.0
            self.counts = [0] * len(self.counts)  # a neighbour's, or nobody's: it has nothing to do with what comes
        self.due = monotonic() + self.pause
        return False

    def _count(self) -> bool:
        """Take the events there are; False if there is none. The kernel counts them up from the top down: asked from below,
        a group never seems to have more of them than the one above before it really has.
        """
        news = False
        for at, event in enumerate(self.events):
            try:
                self.counts[at] += int.from_bytes(posix.read(event, 8), "little")
                news = True
            except BlockingIOError:
                pass
        return news

    def _ran_out(self) -> "list[int]":
        """The groups that ran out, by their place in `groups`: those with more events than the one above."""
        return [at for at, count in enumerate(self.counts) if count > (self.counts[at + 1] if at + 1 < len(self.counts) else 0)]

    def _killed(self) -> bool:
        """Whether one was killed in the group; or below it, and not because a group there ran out."""
        if counter(b"oom_kill", b"memory.oom_control", self.fd):
            return True
        try:
            return posix.fstat(self.fd).st_nlink > 2 and killed_below(self.path, 0 in self._ran_out())
        except OSError:
            return False

    def verdict(self) -> str:
        if not self.settled:
            self._count()
        if not self._killed():
            return ""
        suspects: list[str] = []
        for at in self._ran_out():
            sure = at + 1 < len(self.events) or (self.whole and at + 1 == len(self.groups))
            groups = self.groups[at : at + 1] if sure else [group for group in self.groups[at:] if was_full(group)]
            suspects += [self.words(group) for group in groups] or self.hidden()
            if sure and at == 0:
                break  # that alone ends the whole of it, whatever else has happened
        if not suspects:  # where two groups run out at once only one event comes; else it was no group's limit
            suspects = [self.words(group) for group in self.groups if was_full(group)] + [MACHINE]
        return one_of(suspects)


def oom_event(group: bytes) -> int:
    """An eventfd that is counted up when `group` or one above it runs out of memory, before one is chosen to be killed."""
    event = posix.eventfd(0, posix.EFD_CLOEXEC | posix.EFD_NONBLOCK)
    control = events = -1
    try:
        control = posix.open(group + b"/memory.oom_control", posix.O_RDONLY | posix.O_CLOEXEC)
        events = posix.open(group + b"/cgroup.event_control", posix.O_WRONLY | posix.O_CLOEXEC)
        posix.write(events, b"%d %d" % (event, control))
        return event
    except OSError:
        posix.close(event)
        raise
    finally:
        for fd in (control, events):
            if fd >= 0:
                posix.close(fd)


def was_full(group: bytes) -> bool:
    """Whether the limit of a v1 group was ever reached, though perhaps what was asked for was found nevertheless."""
    return number(group + b"/memory.failcnt") > 0 or number(group + b"/memory.memsw.failcnt") > 0


def killed_below(group: bytes, wholly: bool) -> bool:
    """Whether one was killed in the v1 groups below `group`; unless `wholly`, those don't count that were full themselves."""
    for entry in list(posix.scandir(group)):
        below = group + b"/" + entry.name
        if entry.is_dir(follow_symlinks=False) and (
            (counter(b"oom_kill", below + b"/memory.oom_control") and (wholly or not was_full(below)))
            or killed_below(below, wholly)
        ):
            return True
    return False


class BlameV2(Blame):
    """On v2 the kernel kills the whole group at once (memory.oom.group), and counts for each group when its limit ran out."""

    root_file, is_root = b"/cgroup.type", False
    limit_file, peak_file = b"memory.max", b"memory.peak"

    def __init__(self, mount: bytes, path: bytes, fd: int, limit: int) -> None:
        super().__init__(mount, path, fd, limit)
        self.before = [ran_out(group) for group in self.groups[1:]]

    def verdict(self) -> str:
        local = b"memory.events.local"  # memory.events counts what happens below, too
        if not counter(b"oom_kill", local, self.fd) and not counter(b"oom_group_kill", local, self.fd):
            return ""
        if counter(b"oom", local, self.fd):
            return self.words(self.path)
        above = [group for group, before in zip(self.groups[1:], self.before, strict=True) if ran_out(group) > before]
        return one_of([self.words(group) for group in above] or [MACHINE, *self.hidden()])


def ran_out(group: bytes) -> int:
    """How often the limit of a v2 group ran out."""
    return counter(b"oom", group + b"/memory.events.local")
