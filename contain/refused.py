"""Why the kernel did not execute the program, in more words than its errno: loaded, on the host, only to tell it.

execve(2) has one number for a dozen causes: the root is looked at again, for the one that fits.
"""

import posix

from contain import linux, program
from contain.errors import NOT_EXECUTABLE, NOT_FOUND, ContainError, text
from contain.hierarchy import read_or_nothing

ELIBBAD = 80
_HOPS = 8  # symbolic links that are followed to find the one that leads nowhere

_WORDS = {
    linux.E2BIG: "argument list too long: arguments and environment together are more than the kernel passes on",
    linux.EAGAIN: "the user has as many processes as its limit allows (ulimit -u)",
    linux.EINVAL: "invalid argument: the numbers in its ELF header make no sense",
    linux.ENOEXEC: "exec format error: not a program for this machine",
    linux.ENOMEM: "cannot allocate memory: there is too little for it, or it asks for addresses that nobody has",
    linux.EPERM: "operation not permitted: it has file capabilities (getcap shows them) that no program here may have",
    linux.ETXTBSY: "text file busy: somebody has it open for writing",
    ELIBBAD: "its loader is none, or one for another machine",
}


def refusal(name: bytes, errno: int, root: int, paths: "tuple[bytes, ...]") -> ContainError:
    """Why the kernel would not execute `name`, in words, with the exit status that goes with it."""
    root = as_mounted(root)
    path, verdict = program.look(root, paths)
    deed = f"exec {text(name[:200])}"
    if errno == linux.ENOENT:
        if verdict.status == NOT_EXECUTABLE or not verdict.reason:
            return ContainError(deed, "not found inside the rootfs", status=NOT_FOUND)
        return ContainError(deed, verdict.reason, verdict.hint, NOT_FOUND)
    judged = verdict.reason and errno in (linux.ENOEXEC, linux.ELOOP, linux.EINVAL, ELIBBAD)
    if judged or (verdict.status == NOT_EXECUTABLE and errno == linux.EACCES):
        return ContainError(deed, verdict.reason, verdict.hint, NOT_EXECUTABLE)
    barred = ""
    if errno == linux.EACCES:
        barred = next((words for file in chain(root, path) if (words := who_may(root, file))), "")
    elif errno == linux.ELOOP:
        barred = where_it_ends(root, path).removeprefix(": ")
    reason = barred or _WORDS.get(errno) or posix.strerror(errno)
    return ContainError(deed, reason, status=NOT_EXECUTABLE)


def as_mounted(root: int) -> int:
    """The directory `root` as the program would have found it, with what this launch has mounted in it: through init, a child
    of ours whose root it is. `root` itself where there is no such child, or nobody tells of children; proc(5).
    """
    asked = posix.fstat(root)
    for pid in read_or_nothing(b"/proc/thread-self/children").split():
        try:
            found = posix.open(b"/proc/" + pid + b"/root", posix.O_PATH | posix.O_CLOEXEC)
        except OSError:
            continue  # it has ended
        status = posix.fstat(found)
        if (status.st_dev, status.st_ino) == (asked.st_dev, asked.st_ino):
            return found
        posix.close(found)
    return root


def chain(root: int, path: bytes) -> "list[bytes]":
    """The files that the kernel opens to execute `path`: itself, its interpreters, the loader."""
    found: list[bytes] = []
    while path and path not in found:
        found.append(path)
        try:
            place = program.find(root, path)
            try:
                fd = program.open_regular(place)
            finally:
                posix.close(place)
        except OSError:
            break
        head = posix.pread(fd, 4096, 0)
        if head.startswith(b"#!"):
            path = program.interpreter(head)
        else:
            narrow = head[4:5] == b"\1"
            path = (
                (program.narrow_loader(fd, head) if narrow else program.elf_needs(fd, head)[0])
                if program.runs_here(head)
                else b""
            )
        posix.close(fd)
    return found


def who_may(root: int, path: bytes) -> str:
    """The first folder or file on the way to `path` that is not everybody's to enter or execute, in words; empty for none."""
    for prefix in prefixes(path):
        try:
            place = program.find(root, prefix)
        except OSError:
            return ""
        status = posix.fstat(place)
        posix.close(place)
        if not status.st_mode & 0o001:
            return (
                f"permission denied: {text(prefix)} has mode {status.st_mode & 0o7777:04o} and belongs to user {status.st_uid}"
            )
    return ""


def prefixes(path: bytes) -> "list[bytes]":
    """`/`, `/a`, `/a/b` of `/a/b`."""
    parts = [part for part in path.split(b"/") if part]
    return [b"/" + b"/".join(parts[:count]) for count in range(len(parts) + 1)]


def where_it_ends(root: int, path: bytes) -> str:
    """What on the way of `path` is to blame that it leads nowhere, behind a colon; empty if it is plainly not there."""
    told = ""
    for _ in range(_HOPS):
        link, target, words = end_of(root, path)
        if not words:
            break
        told = f": {text(link)} {words}"
        if not target:
            break
        path = target if target.startswith(b"/") else link.rpartition(b"/")[0] + b"/" + target
    return told


def end_of(root: int, path: bytes) -> "tuple[bytes, bytes, str]":
    """The first part of `path` that leads nowhere, if it is a symbolic link or no directory; its target, if that is missing."""
    before = b""
    for prefix in prefixes(path)[1:]:
        try:
            place = linux.openat2(root, prefix, posix.O_PATH | posix.O_NOFOLLOW, program.IN_ROOT)
        except OSError as error:
            return (before, b"", "is no directory") if error.errno == linux.ENOTDIR else (b"", b"", "")
        is_link = posix.fstat(place).st_mode & 0o170000 == 0o120000
        try:
            target = posix.readlink(b"", dir_fd=place) if is_link else b""
        except OSError:
            return b"", b"", ""  # /proc/self and its like: what they lead to hangs on who asks
        finally:
            posix.close(place)
        if is_link:
            try:
                posix.close(program.find(root, prefix))
            except OSError as error:
                if error.errno == linux.ELOOP:
                    return prefix, b"", "is a symlink that leads in circles, or to an open file"
                return prefix, target, f"is a symlink to {text(target)}, which is not there"
        before = prefix
    return b"", b"", ""
