"""What an errno does not say: the machine is looked at again for the cause, and the error told with it.

Loaded on the host, after all has been taken back, only to tell an error that has no remedy yet. What is found is a sentence
and a hint; where nothing is found the error stays as it is.
"""

import posix

from contain import linux, program, refused
from contain.errors import ContainError, text, word
from contain.hierarchy import read_or_nothing
from contain.options import Options, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Look = Callable[[ContainError, Options], tuple[str, str]]

NOTHING = ("", "")


def add(error: ContainError, words: "list[bytes]") -> None:
    """Add to `error` what can be found out; `words` are those that contain was called with."""
    if error.hint:
        return
    options = parse(words[1:] if words[:1] == [b"explain"] else words)
    for deeds, errno, look in TABLE:
        if error.deed.startswith(deeds) and (errno in error.reason if isinstance(errno, str) else said(error, errno)):
            sentence, hint = look(error, options)
            if sentence or hint:
                error.reason += f": {sentence}" if sentence else ""
                error.hint = hint
                return


def said(error: ContainError, errno: int) -> bool:
    """Whether the reason is the kernel's `errno`."""
    return posix.strerror(errno) in error.reason


# -- one cause each: answers a sentence and a hint, or nothing --------------------------------------------------------------


def of_cloning(error: ContainError, options: Options) -> "tuple[str, str]":
    """A tree that open_tree(2) does not copy: of another mount namespace, or unbindable."""
    sources = [options.chroot or b""] if error.deed.endswith("NEWROOT") else [source for source, _, _ in options.bind]
    for source in sources:
        if f" {word(source)} " not in error.deed:
            continue
        fd = posix.open(source, posix.O_PATH | posix.O_CLOEXEC)
        number = b"%d" % linux.mount_id(fd)
        posix.close(fd)
        for line in read_or_nothing(b"/proc/self/mountinfo").splitlines():
            fields = line.split(b" ")
            if fields[0] == number:
                place = text(fields[4])
                bars = b"unbindable" in fields[6 : fields.index(b"-")]
                return ("its mount is unbindable", f"mount --make-private {place}") if bars else NOTHING
        return (
            "it lies in another mount namespace, or in none",
            "start contain in that namespace: nsenter --target PID --mount contain …",
        )
    return NOTHING


def of_user_namespace(error: ContainError, options: Options) -> "tuple[str, str]":
    """A root that is not the host's."""
    mapped = read_or_nothing(b"/proc/self/uid_map").split()
    if mapped[:3] in ([], [b"0", b"0", b"4294967295"]):
        return NOTHING
    return "this is the root of a user namespace only", "start contain as the host's root"


def of_immutable(error: ContainError, options: Options) -> "tuple[str, str]":
    """A directory of the root in which nobody may make anything."""
    return "not even root may make it there", "an immutable directory (lsattr, chattr -i), or a file system that forbids it"


def of_memfd(error: ContainError, options: Options) -> "tuple[str, str]":
    """The stubs are executed from memory; sysctl vm.memfd_noexec forbids that from 2 on."""
    if read_or_nothing(b"/proc/sys/vm/memfd_noexec").strip() < b"2":
        return NOTHING
    return "vm.memfd_noexec is 2, so that nothing may be executed from memory", "sysctl vm.memfd_noexec=1"


def of_directory(error: ContainError, options: Options) -> "tuple[str, str]":
    """A working directory that the user may not enter."""
    root = posix.open(options.chroot or b"", posix.O_PATH | posix.O_CLOEXEC)
    barred = refused.who_may(root, options.workdir).removeprefix("permission denied: ")
    posix.close(root)
    hint = f"chmod o+x {word(options.chroot or b'')}" if barred.startswith("/ ") else ""
    return f"inside the rootfs {barred}" if barred else "", hint


def of_no_directory(error: ContainError, options: Options) -> "tuple[str, str]":
    """A working directory that is not there."""
    root = posix.open(options.chroot or b"", posix.O_PATH | posix.O_CLOEXEC)
    ends = refused.where_it_ends(root, options.workdir).removeprefix(": ")
    posix.close(root)
    return ends, "the path is one inside the rootfs"


def of_not_found(error: ContainError, options: Options) -> "tuple[str, str]":
    """A program that is nowhere: is there anything at all, and was a path of the host given?"""
    chroot, name = options.chroot or b"", options.program[0]
    root = posix.open(chroot, posix.O_PATH | posix.O_CLOEXEC)
    try:
        if not posix.fstat(root).st_nlink:
            return "", f"the directory {word(chroot)} has been removed"
        if not set(posix.listdir(b"/proc/self/fd/%d" % root)) - {b"proc", b"dev", b"sys"}:
            return "", f"the rootfs {word(chroot)} is empty: put a program there, with what it needs"
        inside = name.removeprefix(chroot.rstrip(b"/"))
        if inside != name and inside.startswith(b"/") and program.exists(root, inside):
            return "", f"the path is one inside the rootfs: {word(inside)}"
        if b"/" in name:
            return "", "the path is one inside the rootfs"
    finally:
        posix.close(root)
    return "", "it is searched on the PATH of the program, inside the rootfs: --env PATH=… sets another"


def of_descriptors(error: ContainError, options: Options) -> "tuple[str, str]":
    """RLIMIT_NOFILE, or the machine's."""
    return "", "a limit of open files is reached: ulimit -n, or sysctl fs.file-max"


def of_groups(error: ContainError, options: Options) -> "tuple[str, str]":
    """EAGAIN of mkdir(2) in a cgroup file system."""
    return "", "a group above has all the groups it may have: cgroup.max.descendants, cgroup.max.depth"


def of_rootfs(error: ContainError, options: Options) -> "tuple[str, str]":
    """The first folder on the way that is not there, or is no folder."""
    path = options.chroot or b""
    if error.deed != f"rootfs {word(path)}":
        return NOTHING
    parts = path.split(b"/")
    for count in range(1, len(parts)):
        prefix = b"/".join(parts[:count]) or b"/"
        try:
            posix.close(posix.open(prefix, posix.O_PATH | posix.O_DIRECTORY | posix.O_CLOEXEC))
        except OSError:
            return f"already {word(prefix)}", ""
    return NOTHING


TABLE: "tuple[tuple[str | tuple[str, ...], int | str, Look], ...]" = (
    ("", linux.EPERM, of_user_namespace),
    ("mount --rbind", linux.EINVAL, of_cloning),
    (("mkdir", "touch"), linux.EPERM, of_immutable),
    ("exec the ", linux.EACCES, of_memfd),
    ("cd ", linux.EACCES, of_directory),
    ("cd ", linux.ENOENT, of_no_directory),
    ("exec ", "not found inside the rootfs", of_not_found),
    ("", linux.EMFILE, of_descriptors),
    ("", linux.ENFILE, of_descriptors),
    ("mkdir /sys/fs/cgroup", linux.EAGAIN, of_groups),
    ("rootfs ", linux.ENOENT, of_rootfs),
    ("rootfs ", linux.ENOTDIR, of_rootfs),
)
