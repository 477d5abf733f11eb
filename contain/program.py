"""The program's file: looked for in the root before anything is touched, and what stands in the way of executing it.

The root is asked through descriptors that can't leave it (openat2 with RESOLVE_IN_ROOT), so that the host's own tree is never
mistaken for the root's. What is found here is advice: the kernel has the last word when the program is executed.
"""

import posix

from contain import linux
from contain.errors import NOT_EXECUTABLE, NOT_FOUND, ContainError, text

IN_ROOT = linux.RESOLVE_IN_ROOT | linux.RESOLVE_NO_MAGICLINKS
LIBRARIES = (b"/lib", b"/usr/lib", b"/lib64", b"/usr/lib64", b"/lib/x86_64-linux-gnu", b"/usr/lib/x86_64-linux-gnu")
ELF = b"\x7fELF"
_I386, _X86_64 = 3, 62
_LINE = 256  # bytes of a script that the kernel looks at for its interpreter
_TOO_LONG = "is longer than the 255 bytes that the kernel reads"
_SCRIPTS = 5  # the program and five interpreters may be scripts, no more
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
    """What stands in the way of executing a file: `status` 126 or 127 and the `reason`; status 0 if nothing is seen to.

    A reason beside status 0 is what will be said if the kernel refuses it. `missing` is the path in `root` that leads
    nowhere: where it breaks off is looked up only to be told.
    """

    def __init__(self, status: int, words: str = "", hint: str = "", root: int = -1, missing: bytes = b"") -> None:
        self.status, self.words, self.hint, self.root, self.missing = status, words, hint, root, missing

    @property
    def reason(self) -> str:
        """In words."""
        return self.words + (where_it_ends(self.root, self.missing) if self.missing else "")


def where_it_ends(root: int, path: bytes) -> str:
    """The symbolic link or the file on the way of `path` that is to blame for its end. Its module is loaded only now."""
    from contain import refused

    return refused.where_it_ends(root, path)


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
    return refused or (b"", Verdict(NOT_FOUND, "not found inside the rootfs", "", root, paths[0] if paths else b""))


def judge(root: int, place: int, whose: str = "", depth: int = 0) -> Verdict:
    """What stands in the way of executing the file at `place`: its kind, its mode, its mount, its format or what that names.

    `whose` names the file where it is not the program itself, but an interpreter; `depth` counts those.
    """
    prefix = f"{whose}: " if whose else ""
    obstacle, hint = bars(place)
    if obstacle:
        return Verdict(NOT_EXECUTABLE, prefix + obstacle, hint)
    try:
        fd = open_regular(place)
    except OSError:
        return Verdict(0)  # what can't be read may still be executed
    try:
        head = posix.pread(fd, 4096, 0)
        if head.startswith(b"#!"):
            return judge_script(root, head, whose, depth)
        return judge_binary(root, fd, head, whose)
    except OSError:
        return Verdict(0)
    finally:
        posix.close(fd)


def bars(place: int) -> "tuple[str, str]":
    """Why the kernel would not open what lies at `place` to execute it, and the remedy; empty if it would."""
    obstacle = kind_or_mode(place)
    if not obstacle and posix.fstatvfs(place).f_flag & posix.ST_NOEXEC:
        return "permission denied: its file system is mounted noexec", "keep the rootfs elsewhere, e.g. in /srv"
    return obstacle, ""


def kind_or_mode(place: int) -> str:
    """Why what lies at `place` is no file that may be executed; empty if it is one."""
    mode = posix.fstat(place).st_mode
    kind = mode & 0o170000
    if kind != 0o100000:
        return f"is {_KINDS.get(kind, 'no file')}"
    return "" if mode & 0o111 else "permission denied: it is not an executable file"


def judge_script(root: int, head: bytes, whose: str, depth: int) -> Verdict:
    """What stands in the way of a script that begins with `head`; its interpreter may be a script itself; execve(2)."""
    path = interpreter(head)
    if not path:
        fault = "names no interpreter" if head[2:_LINE].strip(b" \t")[:1] in (b"", b"\n", b"\0") else _TOO_LONG
        return Verdict(0, f"{whose and whose + ': '}exec format error: its first line {fault}")
    hint = ""
    if path.endswith(b"\r"):
        hint = "its first line ends in a carriage return, as on Windows: sed -i 's/\\r$//' FILE takes them away"
    named = f"the interpreter {text(path)} of {whose}" if whose else f"its interpreter {text(path)}"
    verdict, place = judge_helper(root, named, path, hint)
    if place < 0:
        return verdict
    try:
        if depth == _SCRIPTS:
            return Verdict(0, "its interpreters are scripts themselves, more than five deep or in a circle")
        return judge(root, place, f"its interpreter {text(path)}", depth + 1)
    finally:
        posix.close(place)


def judge_binary(root: int, fd: int, head: bytes, whose: str) -> Verdict:
    """What stands in the way of the open file that begins with `head` and is no script: its format, or its loader."""
    prefix = f"{whose}: " if whose else ""
    if not head.startswith(ELF):
        hint = "a script needs a first line such as #!/bin/sh"
        if head.startswith((b"\xef\xbb\xbf#!", b"\xff\xfe#", b"\xfe\xff\0#")):
            mark = "a byte order mark" if head.startswith(b"\xef") else "UTF-16"
            hint += f", and {mark} hides this one's: save it as plain UTF-8"
        return Verdict(NOT_EXECUTABLE, prefix + "exec format error: neither a program nor a script with an interpreter", hint)
    if not runs_here(head):
        return Verdict(NOT_EXECUTABLE, prefix + "exec format error: not for this machine")
    narrow = head[4] == 1
    loader = narrow_loader(fd, head) if narrow else elf_needs(fd, head)[0]
    if not loader:
        return Verdict(0)
    hint = "it is a 32-bit program: copy its 32-bit libraries as well" if narrow else "copy the program's libraries as well"
    named = f"the loader {text(loader)} of {whose}" if whose else f"its loader {text(loader)}"
    verdict, place = judge_helper(root, named, loader, hint)
    if place < 0:
        return verdict
    try:
        obstacle, hint = bars(place)
        if obstacle:
            return Verdict(NOT_EXECUTABLE, f"{named}: {obstacle}", hint)
        other = read_head(place)
        if not runs_here(other) or other[4] != head[4]:
            return Verdict(NOT_EXECUTABLE, f"{named}: it is no loader for this program")
    finally:
        posix.close(place)
    return Verdict(0)


def judge_helper(root: int, named: str, path: bytes, hint: str) -> "tuple[Verdict, int]":
    """Whether a file that a program names is there, and the file as `find` has found it, or -1."""
    if not path.startswith(b"/"):
        return Verdict(0, f"{named}, looked for from where the program starts, is not found inside the rootfs", hint), -1
    try:
        return Verdict(0), find(root, path)
    except OSError as error:
        if error.errno == linux.ELOOP:
            return Verdict(0), -1
        return Verdict(NOT_FOUND, f"{named} is not found inside the rootfs", hint, root, path), -1


def runs_here(head: bytes) -> bool:
    """Whether an ELF file that begins with `head` is for this machine, in 64 or 32 bits; whole heads only; elf(5)."""
    if not head.startswith(ELF) or len(head) < 52:
        return False
    return (head[4], number(head, 18, 2)) == (1, _I386) or (head[4] == 2 and len(head) >= 64 and number(head, 18, 2) == _X86_64)


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
    """The interpreter that a script's first line names, as the kernel reads it; empty where it finds none; execve(2)."""
    line, end, _ = head[2:_LINE].partition(b"\n")
    line = line.lstrip(b" \t")
    name = line.partition(b"\0")[0].partition(b" ")[0].partition(b"\t")[0]
    cut = not end and len(head) >= _LINE and name == line
    return b"" if cut else name


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


def narrow_loader(fd: int, head: bytes) -> bytes:
    """The loader that a 32-bit ELF file names; elf(5). Nonsense in the file gives none."""
    entry, count = number(head, 42, 2), number(head, 44, 2)
    raw = piece(fd, entry * count, number(head, 28, 4)) if entry == 32 and count <= 64 else b""
    for at in range(0, len(raw) - 31, 32):
        if number(raw, at, 4) == 3:
            return piece(fd, min(number(raw, at + 16, 4), 4096), number(raw, at + 4, 4)).partition(b"\0")[0]
    return b""


def refusal(name: bytes, errno: int, root: int, paths: "tuple[bytes, ...]") -> ContainError:
    """Why the kernel would not execute `name`, in words, with the exit status that goes with it. For the launcher alone."""
    from contain import refused

    return refused.refusal(name, errno, root, paths)
