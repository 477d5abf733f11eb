"""The program's file: looked for in the root before anything is touched, read into memory, and why it could not be executed.

The root is asked through descriptors that can't leave it (openat2 with RESOLVE_IN_ROOT), so that the host's own tree is never
mistaken for the root's. What is found here is advice: the kernel has the last word when the program is executed.
"""

import posix

from contain import linux
from contain.errors import NOT_EXECUTABLE, NOT_FOUND, ContainError, text
from contain.step import Live, Step

IN_ROOT = linux.RESOLVE_IN_ROOT | linux.RESOLVE_NO_MAGICLINKS
LIBRARIES = (b"/lib", b"/usr/lib", b"/lib64", b"/usr/lib64", b"/lib/x86_64-linux-gnu", b"/usr/lib/x86_64-linux-gnu")
_ELF = b"\x7fELF"
_X86_64 = 62


def candidates(name: bytes, search: bytes, directory: bytes) -> "tuple[bytes, ...]":
    """The paths that execvp(3) would try for `name`, absolute, in order; `search` is the PATH of the program."""
    if b"/" in name:
        return (name if name.startswith(b"/") else directory.rstrip(b"/") + b"/" + name,)
    places = [place or directory for place in search.split(b":")] if search else []
    return tuple([place.rstrip(b"/") + b"/" + name for place in places])


def open_in_root(root: int, path: bytes) -> int:
    """`path` for reading, with its symbolic links followed inside the root. Raises OSError."""
    return linux.openat2(root, path, posix.O_RDONLY | posix.O_NONBLOCK, IN_ROOT)


class Verdict:
    """What stands in the way of executing a file: `status` 126 or 127 and the `reason`; status 0 if nothing is seen to."""

    def __init__(self, status: int, reason: str = "", hint: str = "") -> None:
        self.status, self.reason, self.hint = status, reason, hint


def look(root: int, paths: "tuple[bytes, ...]") -> "tuple[bytes, Verdict]":
    """The first of `paths` that is there, and what stands in the way of executing it."""
    refused: tuple[bytes, Verdict] | None = None
    for path in paths:
        try:
            fd = open_in_root(root, path)
        except OSError as error:
            if error.errno == linux.ELOOP:
                return path, Verdict(0)  # /proc/self/exe and its like: the kernel decides when it is executed
            continue
        verdict = judge(root, fd)
        posix.close(fd)
        if verdict.status != NOT_EXECUTABLE:
            return path, verdict
        refused = refused or (path, verdict)
    return refused or (b"", Verdict(NOT_FOUND, "not found inside the rootfs"))


def judge(root: int, fd: int) -> Verdict:
    """What stands in the way of executing the open file: its mode, its mount, its format or its interpreter."""
    status = posix.fstat(fd)
    kind = status.st_mode & 0o170000
    if kind == 0o040000:
        return Verdict(NOT_EXECUTABLE, "is a directory")
    if kind != 0o100000 or not status.st_mode & 0o111:
        return Verdict(NOT_EXECUTABLE, "permission denied: it is not an executable file")
    if posix.fstatvfs(fd).f_flag & posix.ST_NOEXEC:
        return Verdict(
            NOT_EXECUTABLE, "permission denied: its file system is mounted noexec", "keep the rootfs elsewhere, e.g. in /srv"
        )
    head = posix.pread(fd, 4096, 0)
    if head.startswith(b"#!"):
        interpreter = head[2:].partition(b"\n")[0].strip().partition(b" ")[0].partition(b"\t")[0]
        if interpreter and not exists(root, interpreter):
            return Verdict(NOT_FOUND, f"its interpreter {text(interpreter)} is not found inside the rootfs")
        return Verdict(0)
    if not head.startswith(_ELF):
        hint = "a script needs a first line such as #!/bin/sh"
        return Verdict(NOT_EXECUTABLE, "exec format error: neither a program nor a script with an interpreter", hint)
    if len(head) < 64 or head[4] != 2 or int.from_bytes(head[18:20], "little") != _X86_64:
        return (
            Verdict(0)
            if len(head) >= 52 and head[4] == 1
            else Verdict(NOT_EXECUTABLE, "exec format error: not for this machine")
        )
    loader, _ = elf_needs(fd, head)
    if loader and not exists(root, loader):
        return Verdict(
            NOT_FOUND, f"its loader {text(loader)} is not found inside the rootfs", "copy the program's libraries as well"
        )
    return Verdict(0)


def exists(root: int, path: bytes) -> bool:
    """Whether `path` can be opened in the root."""
    try:
        posix.close(open_in_root(root, path))
    except OSError:
        return False
    return True


def number(raw: bytes, at: int, size: int) -> int:
    """The unsigned integer of `size` bytes at `at`."""
    return int.from_bytes(raw[at : at + size], "little")


def elf_needs(fd: int, head: bytes) -> "tuple[bytes, list[bytes]]":
    """The loader and the libraries that a 64-bit ELF file names; elf(5). Nonsense in the file gives nothing."""
    table, entry, count = number(head, 32, 8), number(head, 54, 2), number(head, 56, 2)
    if entry != 56 or count > 64 or table > 1 << 40:
        return b"", []
    loader, loads, dynamic = b"", [], b""
    raw = posix.pread(fd, entry * count, table)
    for at in range(0, len(raw) - 55, 56):
        kind, offset = number(raw, at, 4), number(raw, at + 8, 8)
        address, size = number(raw, at + 16, 8), number(raw, at + 32, 8)
        if offset > 1 << 40:
            continue
        if kind == 3:
            loader = posix.pread(fd, min(size, 4096), offset).rstrip(b"\0")
        elif kind == 1:
            loads.append((address, offset, size))
        elif kind == 2:
            dynamic = posix.pread(fd, min(size, 65536), offset)
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
            return loader, [posix.pread(fd, 256, start + name).partition(b"\0")[0] for name in names if name < size]
    return loader, []


class Warm(Step):
    """In the program, before it joins its cgroup: read its file, its loader and its libraries once.

    Under a limit of a megabyte every page of a cold file would be charged, reclaimed and read again, for seconds. Read
    before, the page cache is charged to the launcher's group. Only worth it under small limits.
    """

    def __init__(self, root: int, path: bytes) -> None:
        self.root, self.path = root, path

    def __str__(self) -> str:
        return f"cat {text(self.path)} and its libraries > /dev/null"

    def run(self, live: Live) -> None:
        null = posix.open(b"/dev/null", posix.O_WRONLY | posix.O_CLOEXEC)
        waiting, seen = [self.path], 0
        while waiting and seen < 64:
            path = waiting.pop()
            seen += 1
            try:
                fd = open_in_root(self.root, path)
            except OSError:
                continue
            size = posix.fstat(fd).st_size
            offset = 0
            while offset < size:
                sent = posix.sendfile(null, fd, offset, size - offset)
                if not sent:
                    break
                offset += sent
            head = posix.pread(fd, 4096, 0)
            if head.startswith(_ELF) and len(head) >= 64 and head[4] == 2:
                loader, libraries = elf_needs(fd, head)
                waiting += [loader] if loader else []
                waiting += [found for name in libraries if (found := self._library(name))]
            elif head.startswith(b"#!"):
                waiting.append(head[2:].partition(b"\n")[0].strip().partition(b" ")[0])
            posix.close(fd)
        posix.close(null)

    def _library(self, name: bytes) -> bytes:
        for folder in LIBRARIES:
            if exists(self.root, folder + b"/" + name):
                return folder + b"/" + name
        return b""


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
