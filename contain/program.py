"""The program's file: looked for in the root before anything is touched, read into memory, and why it could not be executed.

The root is asked through descriptors that can't leave it (openat2 with RESOLVE_IN_ROOT), so that the host's own tree is never
mistaken for the root's. What is found here is advice: the kernel has the last word when the program is executed.
"""

import posix

from contain import linux
from contain.errors import NOT_EXECUTABLE, NOT_FOUND, ContainError, text

IN_ROOT = linux.RESOLVE_IN_ROOT | linux.RESOLVE_NO_MAGICLINKS
LIBRARIES = (b"/lib", b"/usr/lib", b"/lib64", b"/usr/lib64", b"/lib/x86_64-linux-gnu", b"/usr/lib/x86_64-linux-gnu")
ELF = b"\x7fELF"
_X86_64 = 62
_KINDS = {0o040000: "a directory", 0o020000: "a device", 0o060000: "a device", 0o010000: "a FIFO", 0o140000: "a socket"}
_NAMES = 64  # libraries that one file may name
_PIECE = 1 << 16  # bytes of an ELF file that are read at once
_FURTHEST = 1 << 62  # no file reaches there; pread(2) takes less than 1 << 63


def candidates(name: bytes, search: bytes, directory: bytes) -> "tuple[bytes, ...]":
    """The paths that execvp(3) would try for `name`, absolute, in order; `search` is the PATH of the program."""
    if b"/" in name:
        return (name if name.startswith(b"/") else directory.rstrip(b"/") + b"/" + name,)
    places = [place or directory for place in search.split(b":")] if search else []
    return tuple([place.rstrip(b"/") + b"/" + name for place in places])


def find(root: int, path: bytes) -> int:
    """What `path` leads to inside the root, as a descriptor that opens nothing: no device wakes up, no FIFO waits.

    Raises OSError; ELOOP for a link to an open file, as those of /proc/self/fd.
    """
    return linux.openat2(root, path, posix.O_PATH, IN_ROOT)


def open_regular(place: int) -> int:
    """The regular file that `find` has found, for reading. Raises OSError; EACCES if it is no regular file.

    By its descriptor, so that what was looked at is what is opened, whatever its name has become meanwhile.
    """
    if posix.fstat(place).st_mode & 0o170000 != 0o100000:
        raise OSError(linux.EACCES, "")
    return posix.open(b"/proc/self/fd/%d" % place, posix.O_RDONLY | posix.O_NONBLOCK | posix.O_NOCTTY | posix.O_CLOEXEC)


class Verdict:
    """What stands in the way of executing a file: `status` 126 or 127 and the `reason`; status 0 if nothing is seen to."""

    def __init__(self, status: int, reason: str = "", hint: str = "") -> None:
        self.status, self.reason, self.hint = status, reason, hint


def look(root: int, paths: "tuple[bytes, ...]") -> "tuple[bytes, Verdict]":
    """The first of `paths` that is there, and what stands in the way of executing it."""
    refused: tuple[bytes, Verdict] | None = None
    for path in paths:
        try:
            place = find(root, path)
        except OSError as error:
            if error.errno == linux.ELOOP:
                return path, Verdict(0)  # /proc/self/exe and its like: the kernel decides when it is executed
            if error.errno in (linux.EMFILE, linux.ENFILE, linux.ENOMEM):
                raise  # that says nothing about the file
            continue
        verdict = judge(root, place)
        posix.close(place)
        if verdict.status != NOT_EXECUTABLE:
            return path, verdict
        refused = refused or (path, verdict)
    return refused or (b"", Verdict(NOT_FOUND, "not found inside the rootfs"))


def judge(root: int, place: int) -> Verdict:
    """What stands in the way of executing the file at `place`: its kind, its mode, its mount, its format or its interpreter."""
    obstacle = kind_or_mode(place)
    if obstacle:
        return Verdict(NOT_EXECUTABLE, obstacle)
    if posix.fstatvfs(place).f_flag & posix.ST_NOEXEC:
        return Verdict(
            NOT_EXECUTABLE, "permission denied: its file system is mounted noexec", "keep the rootfs elsewhere, e.g. in /srv"
        )
    try:
        fd = open_regular(place)
    except OSError:
        return Verdict(0)  # what can't be read may still be executed
    try:
        return judge_format(root, fd, posix.pread(fd, 4096, 0))
    except OSError:
        return Verdict(0)
    finally:
        posix.close(fd)


def kind_or_mode(place: int) -> str:
    """Why what lies at `place` is no file that may be executed; empty if it is one."""
    mode = posix.fstat(place).st_mode
    kind = mode & 0o170000
    if kind != 0o100000:
        return f"is {_KINDS.get(kind, 'no file')}"
    return "" if mode & 0o111 else "permission denied: it is not an executable file"


def judge_format(root: int, fd: int, head: bytes) -> Verdict:
    """What stands in the way of executing the open file that begins with `head`."""
    if head.startswith(b"#!"):
        return judge_interpreter(root, interpreter(head), 0)
    if not head.startswith(ELF):
        hint = "a script needs a first line such as #!/bin/sh"
        return Verdict(NOT_EXECUTABLE, "exec format error: neither a program nor a script with an interpreter", hint)
    if len(head) < 64 or head[4] != 2 or number(head, 18, 2) != _X86_64:
        if len(head) >= 52 and head[4] == 1:
            return Verdict(0)
        return Verdict(NOT_EXECUTABLE, "exec format error: not for this machine")
    loader, _ = elf_needs(fd, head)
    if not loader:
        return Verdict(0)
    verdict, place = judge_helper(root, f"its loader {text(loader)}", loader, "copy the program's libraries as well")
    if place >= 0:
        posix.close(place)
    return verdict


def judge_interpreter(root: int, path: bytes, depth: int) -> Verdict:
    """What stands in the way of `path` as an interpreter, which may be a script itself: the kernel follows five; execve(2)."""
    if depth == 5 or not path.startswith(b"/"):
        return Verdict(0)  # a relative one is looked for where the program starts, by the kernel
    verdict, place = judge_helper(root, f"its interpreter {text(path)}", path, "")
    if place < 0:
        return verdict
    try:
        head = b"" if verdict.status else read_head(place)
    except OSError:
        head = b""
    posix.close(place)
    return judge_interpreter(root, interpreter(head), depth + 1) if head.startswith(b"#!") else verdict


def judge_helper(root: int, named: str, path: bytes, hint: str) -> "tuple[Verdict, int]":
    """What stands in the way of a file that a program names, and the file as `find` has found it, or -1."""
    try:
        place = find(root, path)
    except OSError as error:
        if error.errno == linux.ELOOP:
            return Verdict(0), -1
        return Verdict(NOT_FOUND, f"{named} is not found inside the rootfs", hint), -1
    obstacle = kind_or_mode(place)
    return Verdict(NOT_EXECUTABLE, f"{named}: {obstacle}") if obstacle else Verdict(0), place


def read_head(place: int) -> bytes:
    """The beginning of the regular file that `find` has found. Raises OSError."""
    fd = open_regular(place)
    try:
        return posix.pread(fd, 4096, 0)
    finally:
        posix.close(fd)


def exists(root: int, path: bytes) -> bool:
    """Whether `path` leads to something in the root."""
    try:
        posix.close(find(root, path))
    except OSError:
        return False
    return True


def interpreter(head: bytes) -> bytes:
    """The interpreter that a script's first line names; execve(2)."""
    return head[2:].partition(b"\n")[0].strip().partition(b" ")[0].partition(b"\t")[0]


def number(raw: bytes, at: int, size: int) -> int:
    """The unsigned integer of `size` bytes at `at`."""
    return int.from_bytes(raw[at : at + size], "little")


def piece(fd: int, size: int, offset: int) -> bytes:
    """At most `size` bytes of the file at `offset`, and no more than 64 KiB; none where it has or gives none."""
    if offset > _FURTHEST:
        return b""
    try:
        return posix.pread(fd, min(size, _PIECE), offset)
    except OSError:
        return b""


def elf_needs(fd: int, head: bytes) -> "tuple[bytes, list[bytes]]":
    """The loader and the libraries that a 64-bit ELF file names; elf(5). Nonsense in the file gives nothing.

    Every number in it is anybody's choice, up to 2⁶⁴ - 1.
    """
    entry, count = number(head, 54, 2), number(head, 56, 2)
    if entry != 56 or count > 64:
        return b"", []
    loader, loads, dynamic = b"", [], b""
    raw = piece(fd, entry * count, number(head, 32, 8))
    for at in range(0, len(raw) - 55, 56):
        kind, offset = number(raw, at, 4), number(raw, at + 8, 8)
        address, size = number(raw, at + 16, 8), number(raw, at + 32, 8)
        if kind == 3:
            loader = piece(fd, min(size, 4096), offset).partition(b"\0")[0]
        elif kind == 1:
            loads.append((address, offset, size))
        elif kind == 2:
            dynamic = piece(fd, size, offset)
    strings, names = 0, []
    for at in range(0, len(dynamic) - 15, 16):
        tag, value = number(dynamic, at, 8), number(dynamic, at + 8, 8)
        if tag == 5:
            strings = value
        elif tag == 1:
            names.append(value)
    for address, offset, size in loads:
        if address <= strings < address + size:
            start = strings - address + offset
            found = [piece(fd, 256, start + name).partition(b"\0")[0] for name in names[:_NAMES]]
            return loader, [name for name in found if name]
    return loader, []


def refusal(name: bytes, errno: int, root: int, paths: "tuple[bytes, ...]") -> ContainError:
    """Why the kernel would not execute `name`, in words, with the exit status that goes with it."""
    _, verdict = look(root, paths)
    deed = f"exec {text(name[:200])}"
    if errno == linux.ENOENT:
        if verdict.status == NOT_FOUND:
            return ContainError(deed, verdict.reason, verdict.hint, NOT_FOUND)
        return ContainError(deed, "not found inside the rootfs", status=NOT_FOUND)
    if verdict.status == NOT_EXECUTABLE and errno in (linux.EACCES, linux.ENOEXEC):
        return ContainError(deed, verdict.reason, verdict.hint, NOT_EXECUTABLE)
    if errno == linux.ENOEXEC:
        return ContainError(deed, "exec format error: not a program for this machine", status=NOT_EXECUTABLE)
    return ContainError(deed, posix.strerror(errno), status=NOT_EXECUTABLE)
