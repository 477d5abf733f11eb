"""Reading a program ahead. Loaded only for a launch with a small memory limit."""

import posix

from contain import linux, program
from contain.errors import text
from contain.step import Live, Step

READ_AHEAD = 32 << 20  # bytes, of all files together
FILES = 64


class Warm(Step):
    """In a child that is not in the program's cgroup: read its file, its loader and its libraries once.

    Under a limit of a megabyte every page of a cold file would be charged, reclaimed and read again, for seconds. Read
    before, the page cache is charged to the launcher's group. Only worth it under small limits. The files are anybody's: of
    all of them together the first READ_AHEAD bytes are read, holes left out. What can't be read is left to the program.
    """

    def __init__(self, root: int, path: bytes) -> None:
        self.root, self.path = root, path

    def __str__(self) -> str:
        return f"cat {text(self.path)} and its libraries > /dev/null  # at most {READ_AHEAD >> 20} MiB"

    def run(self, live: Live) -> None:
        null = posix.open(b"/dev/null", posix.O_WRONLY | posix.O_CLOEXEC)
        waiting, left = [self.path], READ_AHEAD
        for path in waiting:  # it grows by what each file needs
            if left <= 0:
                break
            try:
                fd = open_in_root(self.root, path)
            except OSError:
                continue
            try:
                left -= read(fd, null, left)
                wanted = [needed for needed in needs(self.root, fd) if needed not in waiting]
                waiting += wanted[: FILES - len(waiting)]
            except OSError:
                pass
            posix.close(fd)
        posix.close(null)


def open_in_root(root: int, path: bytes) -> int:
    """The regular file `path` of the root, for reading. Raises OSError."""
    place = program.find(root, path)
    try:
        return program.open_regular(place)
    finally:
        posix.close(place)


def read(fd: int, null: int, most: int) -> int:
    """Read the first `most` bytes of a file that are no holes; answers how many there were. lseek(2). Raises OSError."""
    offset, left = 0, most
    while left:
        try:
            offset = posix.lseek(fd, offset, posix.SEEK_DATA)
        except OSError as error:
            if error.errno == linux.ENXIO:  # nothing but a hole, or nothing, until the end
                break
            raise
        end = posix.lseek(fd, offset, posix.SEEK_HOLE)
        while left and offset < end:
            sent = posix.sendfile(null, fd, offset, min(left, end - offset))
            if not sent:
                return most - left
            offset += sent
            left -= sent
    return most - left


def needs(root: int, fd: int) -> "list[bytes]":
    """The files that the open program names, as paths in the root."""
    head = posix.pread(fd, 4096, 0)
    if head.startswith(b"#!"):
        return [program.interpreter(head)]
    if not head.startswith(program.ELF) or len(head) < 64 or head[4] != 2:
        return []
    loader, libraries = program.elf_needs(fd, head)
    found = [library(root, name) for name in libraries]
    return [path for path in (loader, *found) if path]


def library(root: int, name: bytes) -> bytes:
    """Where the loader would most likely find the library; empty if nowhere. A name with a slash is a path; ld.so(8)."""
    if b"/" in name:
        return name
    for folder in program.LIBRARIES:
        if program.exists(root, folder + b"/" + name):
            return folder + b"/" + name
    return b""
