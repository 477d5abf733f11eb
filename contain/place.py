"""What stands at a place of the root, told by descriptor: opening, marking, placing and removing what is contain's.

Everything is relative to the descriptor of the directory that it is in. Whether a name still is what was opened is told by
device and inode.
"""

import posix

from contain import linux
from contain.rootfs import find

MARK = b"trusted.contain"  # nobody can set it, or see it, without CAP_SYS_ADMIN: no contained program can
_PREFIX = ".contain-"  # of a temporary name; 16 hexadecimal digits follow
_LOOKED_AT, _SWEPT = 10000, 64  # names of a directory, and temporary ones among them, that one launch deals with


def marked(place: "int | bytes") -> bool:
    """Whether contain made the place: a descriptor for reading, or a path."""
    try:
        posix.getxattr(place, MARK)
    except OSError:
        return False
    return True


def take(parent: int, name: bytes) -> int:
    """`reopen` of what `name` leads to."""
    return reopen(find(parent, name))


def reopen(seen: int) -> int:
    """The directory or regular file that `find` has found, for reading; -1 for what would wake up, or wait for somebody.

    `seen` is closed.
    """
    try:
        kind = posix.fstat(seen).st_mode & 0o170000
        if kind == 0o040000:
            return posix.open(b".", posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC, dir_fd=seen)
        if kind == 0o100000:
            return posix.open(b"/proc/self/fd/%d" % seen, posix.O_RDONLY | posix.O_NONBLOCK | posix.O_CLOEXEC)
        return -1
    finally:
        posix.close(seen)


def leads_to(parent: int, name: bytes, fd: int) -> bool:
    """Whether `name` in the directory `parent` is what `fd` has open."""
    try:
        there = find(parent, name)
    except FileNotFoundError:
        return False
    try:
        one, other = posix.fstat(there), posix.fstat(fd)
        return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
    finally:
        posix.close(there)


def make(parent: int, name: bytes, is_directory: bool, mode: int) -> None:
    """mkdir(2), or an empty file that was not there before."""
    if is_directory:
        posix.mkdir(name, mode, dir_fd=parent)
    else:
        flags = posix.O_RDONLY | posix.O_CREAT | posix.O_EXCL | posix.O_CLOEXEC
        posix.close(posix.open(name, flags, mode & 0o666, dir_fd=parent))


def remove(parent: int, name: bytes, is_directory: bool) -> None:
    """rmdir(2) or unlink(2)."""
    if is_directory:
        posix.rmdir(name, dir_fd=parent)
    else:
        posix.unlink(name, dir_fd=parent)


def rename_new(parent: int, old: bytes, name: bytes) -> None:
    """Rename `old` to `name`, where nothing is to be; EEXIST. A file system that can't promise that is looked at before."""
    try:
        return linux.renameat2(parent, old, parent, name, linux.RENAME_NOREPLACE)
    except OSError as error:
        if error.errno != linux.EINVAL:
            raise
    try:
        posix.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return posix.rename(old, name, src_dir_fd=parent, dst_dir_fd=parent)
    raise OSError(linux.EEXIST, "")


# -- what killed launchers left under temporary names ---------------------------------------------------------------------


def sweep(parent: int) -> None:
    """Remove what launchers that were killed while they made a mount point in `parent` have left. Never fails."""
    found: list[str] = []
    try:
        folder = posix.open(b".", posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC, dir_fd=parent)
    except OSError:
        return
    try:
        with posix.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if is_temporary(entry.name):
                    found.append(entry.name)
                if number == _LOOKED_AT or len(found) == _SWEPT:
                    break
    except OSError:
        pass
    finally:
        posix.close(folder)
    for name in found:
        try:
            sweep_one(parent, name.encode("ascii"))
        except OSError:
            pass  # a launcher is about to make a mount point of it, or it stays for the next sweep


def temporary_name() -> bytes:
    """A name that nobody has."""
    return (_PREFIX + posix.urandom(8).hex()).encode("ascii")


def is_temporary(name: str) -> bool:
    """Whether a launcher gives such names."""
    digits = name.removeprefix(_PREFIX)
    return name.startswith(_PREFIX) and len(digits) == 16 and not digits.strip("0123456789abcdef")


def sweep_one(parent: int, name: bytes) -> None:
    """Remove `name`, if it is a launcher's and none holds it. One killed before it set the mark had closed it to all others."""
    fd = take(parent, name)
    if fd < 0:
        return
    try:
        status = posix.fstat(fd)
        linux.flock(fd, linux.LOCK_EX | linux.LOCK_NB)
        is_directory = status.st_mode & 0o170000 == 0o040000
        empty = is_directory or not status.st_size  # rmdir looks for itself
        ours = marked(fd) or (status.st_uid == posix.geteuid() and not status.st_mode & 0o077)
        if ours and empty and leads_to(parent, name, fd):
            remove(parent, name, is_directory)
    finally:
        posix.close(fd)
