"""Places of the root that something will be mounted on: locked while the launch lives, made for that time where they miss.

mkdir, setxattr and flock are three calls, and another launch or a SIGKILL may come between any two of them. So a place is made
under a temporary name, marked and locked there, and renamed into place: what stands under the final name is marked and was
locked before it came there, or it is not contain's. Every launch holds a shared lock on each place that it uses; only what
bears the mark is removed, and only by who gets the exclusive lock. decisions/0005 tells why.
"""

import posix
from time import monotonic, sleep

from contain import linux
from contain.errors import say, text, word
from contain.place import MARK, leads_to, make, marked, remove, rename_new, reopen, sweep, take, temporary_name
from contain.rootfs import find
from contain.step import Live, Step

_CLOSED = 0o700  # who can open a place can lock it, and that is nobody else's business
_OPEN = 0o755  # of what stays
_TRIES = 100  # each is begun anew only because another launch has just made or removed the place
_PATIENCE = 0.2  # seconds that a launch waits for locks in all: a launch that removes a place holds its lock for a moment
_NO_MARK = (linux.ENODATA, linux.EOPNOTSUPP)
_UNMARKABLE = (linux.EPERM, linux.EACCES, linux.EOPNOTSUPP)
_FASTER = (linux.EEXIST, linux.ENOTEMPTY, linux.ENOTDIR, linux.EISDIR, linux.ENOENT)


class Together:
    """What the mount points of one launch have in common: how long they still wait for locks, and one warning."""

    def __init__(self, quiet: bool) -> None:
        self.quiet, self.patience = quiet, _PATIENCE
        self.points: list[MountPoint] = []
        self.swept: list[bytes] = []  # directories, by their paths
        self.staying: list[bytes] = []  # places that were made and can't be marked, by their paths on the host

    def wait(self) -> bool:
        """Let a moment pass, and answer True; False when enough has passed."""
        began = monotonic()
        if self.patience > 0:
            sleep(0.001)
            self.patience -= monotonic() - began
            return True
        return False

    def tell(self) -> None:
        """The warning of what stays, if anything does."""
        if self.staying and not self.quiet:
            places = " ".join([word(place) for place in self.staying])
            say(f"warning: mount point {places}: it stays there, the file system takes no attribute {text(MARK)}")


class MountPoint(Step):
    """On the host: a directory or file below `root` (a descriptor) that something will be mounted on, held by a shared lock.

    `make`: what is missing is made. `passing` is only for the text: it will go at the end, as it is missing or bears the mark.
    """

    def __init__(
        self, together: Together, root: int, root_name: bytes, path: bytes, is_directory: bool, make: bool = True
    ) -> None:
        self.root, self.root_name, self.path, self.is_directory, self.make = root, root_name, path, is_directory, make
        self.above, _, self.name = path.rpartition(b"/")
        self.passing = self.unmarkable = False
        self.parent = self.fd = -1
        self.lost = 0  # the errno for which it could not be opened, to be said at the end
        self.leftover = b""  # a temporary name that could not be removed
        self.together = together
        together.points.append(self)

    def __str__(self) -> str:
        place = word(self.root_name.rstrip(b"/") + self.path)
        if not self.passing:
            return f"flock --shared {place}"
        return f"{'mkdir' if self.is_directory else 'touch'} {place}  # removed at the end"

    def hint(self, errno: int) -> str:
        if errno == linux.EROFS:
            return f"make {text(self.path)} there, it is what will be mounted on"
        return ""

    def run(self, live: Live) -> None:
        try:
            self.parent = find(self.root, self.above) if self.above else self.root
            self._take()
        except OSError:
            if self.make:
                raise  # else it is somebody's own, and who mounts on it will tell what is wrong with it

    def _take(self) -> None:
        for _ in range(_TRIES):
            try:
                taken = self._open()
            except FileNotFoundError:
                if not self.make:
                    return
                self.passing = True
                taken = self._make_to_stay() if self.unmarkable else self._make()
            # Its last user may have removed it between our open and our lock.
            if taken and (self.fd < 0 or leads_to(self.parent, self.name, self.fd)):
                return
            self._drop()
        raise OSError(linux.EBUSY, "")

    def _open(self) -> bool:
        """Open and lock what stands there. Raises FileNotFoundError if nothing does."""
        seen = find(self.parent, self.name)
        try:
            self.fd = reopen(seen)
        except FileNotFoundError:
            return False  # it was removed meanwhile
        except OSError as error:  # a lock that can't be had refuses no launch
            self.lost = error.errno or 0
        if self.fd >= 0:
            self._lock()
        return True

    def _lock(self) -> None:
        """Hold the shared lock, if it can be had: who holds the exclusive one for longer than a removal takes is a stranger.

        Nobody removes what bears no mark, so that its lock is not waited for. Other errors are met again, and said, at the end.
        """
        while True:
            try:
                return linux.flock(self.fd, linux.LOCK_SH | linux.LOCK_NB)
            except BlockingIOError:
                if not marked(self.fd) or not self.together.wait():
                    return None
            except OSError:
                return None

    def _make(self) -> bool:
        """Make it, marked and locked, under a temporary name, and rename that. False: begin anew."""
        if self.above not in self.together.swept:
            self.together.swept.append(self.above)
            sweep(self.parent)
        temporary = temporary_name()
        make(self.parent, temporary, self.is_directory, _CLOSED)
        placed = False
        try:
            placed = self._place(temporary)
        finally:
            if not placed:
                self._drop()
                self._discard(temporary)
        return placed

    def _place(self, temporary: bytes) -> bool:
        """Open, lock, mark, rename. False if another launch came between, or it can't be marked."""
        try:
            self.fd = take(self.parent, temporary)
        except FileNotFoundError:
            return False  # swept
        if self.fd < 0:
            return False  # somebody has put something else there
        try:
            linux.flock(self.fd, linux.LOCK_SH | linux.LOCK_NB)
        except BlockingIOError:
            return False  # a sweep came between; it is about to remove it
        except OSError:
            pass  # undo meets it again
        try:
            posix.setxattr(self.fd, MARK, b"1")
        except OSError as error:
            if error.errno not in _UNMARKABLE:
                raise
            self.unmarkable = True
            return False
        try:
            rename_new(self.parent, temporary, self.name)
        except OSError as error:
            if error.errno not in _FASTER:
                raise
            return False
        return True

    def _make_to_stay(self) -> bool:
        """Make it where it can't be marked: nobody can tell it from one that was always there, so that it stays."""
        try:
            make(self.parent, self.name, self.is_directory, _OPEN)
            self.together.staying.append(self.root_name.rstrip(b"/") + self.path)
        except FileExistsError:
            pass
        return False

    def _discard(self, temporary: bytes) -> None:
        try:
            remove(self.parent, temporary, self.is_directory)
        except FileNotFoundError:
            pass
        except OSError:
            self.leftover = temporary

    def _drop(self) -> None:
        if self.fd >= 0:
            fd, self.fd = self.fd, -1
            posix.close(fd)

    def undo(self) -> None:
        try:
            if self.fd >= 0:
                self._leave()
            if self.leftover:
                remove(self.parent, self.leftover, self.is_directory)
            if self.lost:
                raise OSError(self.lost, "")
        finally:
            self._drop()
            if self is self.together.points[0]:  # the last to be undone
                self.together.tell()

    def _leave(self) -> None:
        """Remove it, if it is contain's and nobody else holds it: another launch that stands on it will do so in its turn."""
        try:
            posix.getxattr(self.fd, MARK)
        except OSError as error:
            if error.errno in _NO_MARK:
                return
            raise
        try:
            linux.flock(self.fd, linux.LOCK_EX | linux.LOCK_NB)
        except BlockingIOError:
            return
        if leads_to(self.parent, self.name, self.fd):
            status = posix.fstat(self.fd)
            is_directory = status.st_mode & 0o170000 == 0o040000
            if status.st_size and not is_directory:
                raise OSError(linux.ENOTEMPTY, "")  # somebody has written to it, and may want to keep that
            remove(self.parent, self.name, is_directory)
