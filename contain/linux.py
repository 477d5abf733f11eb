"""The only door to the kernel: system calls and constants under their kernel names, each checked.

What the `posix` module offers is used as it is; the rest goes through libc's `syscall(2)`. The C part of ctypes
(`_ctypes`) is taken without its Python part, which costs 2 ms more at every launch. Every call raises OSError with the
kernel's errno, so that forgetting to look is impossible. Numbers are those of x86-64
(arch/x86/entry/syscalls/syscall_64.tbl); constants are from the header named beside them.
"""

import _ctypes
import posix

MACHINE = "x86_64"


class _Long(_ctypes._SimpleCData):  # type: ignore[misc]
    _type_ = "l"


class _ULong(_ctypes._SimpleCData):  # type: ignore[misc]
    _type_ = "L"


class _Byte(_ctypes._SimpleCData):  # type: ignore[misc]
    _type_ = "c"


class _Function(_ctypes.CFuncPtr):  # type: ignore[misc]
    _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO
    _restype_ = _Long


_libc_syscall = _Function(_ctypes.dlsym(_ctypes.dlopen(None, 0), "syscall"))
_inet_pton = _Function(_ctypes.dlsym(_ctypes.dlopen(None, 0), "inet_pton"))
_inet_ntop = _Function(_ctypes.dlsym(_ctypes.dlopen(None, 0), "inet_ntop"))
_get_errno = _ctypes.get_errno


class _Words(_ctypes._SimpleCData):  # type: ignore[misc]
    _type_ = "z"


class _Info(_ctypes.Array):  # type: ignore[misc]
    """Room for what the kernel writes in small answers: a signalfd_siginfo, a sigset, a rlimit, a clone_args."""

    _type_ = _Byte
    _length_ = 128


class _Page(_ctypes.Array):  # type: ignore[misc]
    """Room for one netlink answer."""

    _type_ = _Byte
    _length_ = 32768


def inet_pton(family: int, words: bytes) -> "bytes | None":
    """The address that `words` spell, in network order; None if they spell none. inet_pton(3)."""
    answer = _Info()
    if _inet_pton(family, words, answer) != 1:
        return None
    return bytes(answer.raw[: 4 if family == AF_INET else 16])


def inet_ntop(family: int, raw: bytes) -> bytes:
    """The usual spelling of an address; inet_ntop(3)."""
    answer = _Info()
    _inet_ntop(family, raw, answer, 128)
    return bytes(answer.raw).partition(b"\0")[0]


def syscall(number: int, *arguments: "int | bytes | _ctypes.Array | None") -> int:
    """Call the kernel; integers go as unsigned longs, bytes and arrays by address. Raises OSError."""
    answer: int = _libc_syscall(_ULong(number), *[_ULong(a) if type(a) is int else a for a in arguments])
    if answer < 0:
        raise OSError(_get_errno(), "")
    return answer


# linux/sched.h
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
CLONE_INTO_CGROUP = 0x200000000
# linux/fcntl.h, asm-generic/fcntl.h
AT_FDCWD = 0xFFFFFFFFFFFFFF9C
AT_EMPTY_PATH = 0x1000
AT_RECURSIVE = 0x8000
F_DUPFD, F_DUPFD_CLOEXEC, F_SETFD = 0, 1030, 2
F_ADD_SEALS = 1033
F_SEAL_ALL = 0x0F  # SEAL | SHRINK | GROW | WRITE; not F_SEAL_EXEC, the stubs take their own execute bits away
LOCK_SH, LOCK_EX, LOCK_NB = 1, 2, 4
# asm-generic/errno-base.h, asm-generic/errno.h
EPERM, ENOENT, E2BIG, ENOEXEC, EAGAIN, ENOMEM, EACCES, EBUSY, EEXIST, ENODEV = 1, 2, 7, 8, 11, 12, 13, 16, 17, 19
ENOTDIR, EISDIR, EINVAL, ENOSPC, EROFS, ELOOP, EOPNOTSUPP, EADDRINUSE, ETXTBSY = 20, 21, 22, 28, 30, 40, 95, 98, 26
ESRCH, ENXIO, EXDEV, ENFILE, EMFILE, ENOTEMPTY, ENODATA = 3, 6, 18, 23, 24, 39, 61
RENAME_NOREPLACE = 1  # linux/fs.h
# linux/openat2.h
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_IN_ROOT = 0x10
# linux/stat.h
STATX_MNT_ID = 0x1000
# linux/mount.h
MS_REC, MS_PRIVATE = 0x4000, 0x40000
MNT_DETACH = 2
OPEN_TREE_CLONE, OPEN_TREE_CLOEXEC = 1, 0x80000
MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH = 0x04, 0x40
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC = 0x1, 0x2, 0x4, 0x8
FSOPEN_CLOEXEC, FSMOUNT_CLOEXEC = 1, 1
FSCONFIG_SET_FLAG, FSCONFIG_SET_STRING, FSCONFIG_CMD_CREATE = 0, 1, 6
# linux/prctl.h
PR_SET_PDEATHSIG, PR_GET_PDEATHSIG = 1, 2
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER = 36, 37
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
# linux/capability.h
LINUX_CAPABILITY_VERSION_3 = 0x20080522
# linux/memfd.h
MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_EXEC = 0x1, 0x2, 0x10
# linux/keyctl.h
SECCOMP_SET_MODE_FILTER = 1  # linux/seccomp.h
SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4

KEYCTL_JOIN_SESSION_KEYRING = 1
# asm-generic/signal.h, asm-generic/siginfo.h
SIGHUP, SIGINT, SIGQUIT, SIGTRAP, SIGKILL, SIGPIPE, SIGTERM, SIGCHLD, SIGCONT, SIGSTOP = 1, 2, 3, 5, 9, 13, 15, 17, 18, 19
SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGXFSZ, SIGWINCH = 20, 21, 22, 23, 25, 28
SIG_DFL, SIG_IGN = 0, 1
SIG_UNBLOCK, SIG_SETMASK = 1, 2
SI_KERNEL, SI_QUEUE = 128, -1
ALL_SIGNALS = b"\xff" * 8
SFD_CLOEXEC = 0x80000
PTRACE_DETACH = 17
WALL = 0x40000000  # linux/wait.h: children that were cloned, and threads that made us their tracer
PF_EXITING = 0x4  # linux/sched.h, in the flags of proc_pid_stat(5)
RLIMIT_FSIZE, RLIMIT_CORE, RLIMIT_NOFILE, RLIMIT_SIGPENDING = 1, 4, 7, 11
# linux/sched.h (uapi)
SCHED_DEADLINE, SCHED_RESET_ON_FORK = 6, 0x40000000
# asm-generic/poll.h
POLLIN, POLLOUT = 1, 4
# asm-generic/ioctls.h, asm-generic/termbits.h
TCGETS, TCSETS, TCXONC, TIOCSCTTY, TIOCGWINSZ, TIOCSWINSZ = 0x5401, 0x5402, 0x540A, 0x540E, 0x5413, 0x5414
TIOCSPTLCK, TIOCGPTPEER = 0x40045431, 0x5441
TCOON = 1
# asm-generic/socket.h
MSG_DONTWAIT, MSG_NOSIGNAL = 0x40, 0x4000
# linux/netlink.h, bits/socket.h
AF_INET, AF_INET6 = 2, 10
AF_NETLINK, SOCK_RAW, SOCK_CLOEXEC = 16, 3, 0x80000


def u16(value: int) -> bytes:
    """`value` as the kernel's unsigned 16 bits."""
    return value.to_bytes(2, "little")


def u32(value: int) -> bytes:
    """`value` as the kernel's unsigned 32 bits."""
    return value.to_bytes(4, "little")


def u64(value: int) -> bytes:
    """`value` as the kernel's unsigned 64 bits."""
    return value.to_bytes(8, "little")


# -- namespaces and processes -------------------------------------------------------------------------------------------


def unshare(flags: int) -> None:
    """unshare(2)."""
    syscall(272, flags)


def setns(fd: int, flags: int) -> None:
    """setns(2); `fd` is a namespace or a pidfd."""
    syscall(308, fd, flags)


def prctl(option: int, *arguments: int) -> int:
    """prctl(2)."""
    return syscall(157, option, *arguments, *[0] * (4 - len(arguments)))


def prctl_get(option: int) -> int:
    """prctl(2) with an option that answers into an int."""
    answer = _Info()
    syscall(157, option, answer, 0, 0, 0)
    return int.from_bytes(answer.raw[:4], "little")


def resource_limit(which: int, new: "tuple[int, int] | None" = None) -> "tuple[int, int]":
    """prlimit64(2): this process's soft and hard limit, as they were before `new` is set in their place."""
    old = _Info()
    syscall(302, 0, which, None if new is None else u64(new[0]) + u64(new[1]), old)
    return int.from_bytes(old.raw[:8], "little"), int.from_bytes(old.raw[8:16], "little")


def clone_into_cgroup(cgroup: int) -> int:
    """fork(2), but the child is born in the cgroup v2 directory `cgroup` (a descriptor); clone3(2)."""
    fields = (CLONE_INTO_CGROUP, 0, 0, 0, SIGCHLD, 0, 0, 0, 0, 0, cgroup)
    arguments = b"".join([u64(field) for field in fields])
    return syscall(435, arguments, len(arguments))


def execveat(fd: int, argv: "list[bytes]", environment: "list[bytes]") -> None:
    """execveat(2) of the open file `fd`. Unlike os.execve it passes any environment on, doubled names and all."""

    def vector(words: "list[bytes]") -> "_ctypes.Array":
        kind = type("_Vector", (_ctypes.Array,), {"_type_": _Words, "_length_": len(words) + 1})
        return kind(*words, None)

    syscall(322, fd, b"", vector(argv), vector(environment), AT_EMPTY_PATH)


def sethostname(name: bytes) -> None:
    """sethostname(2)."""
    syscall(170, name, len(name))


def join_session_keyring() -> None:
    """keyctl(2): a new, empty session keyring in place of the caller's."""
    syscall(250, KEYCTL_JOIN_SESSION_KEYRING, None)


def seccomp(program: bytes) -> None:
    """seccomp(2): have this process and its children filtered by `program`, an array of struct sock_filter (linux/filter.h)."""
    page = _Page()
    page.raw = program
    # The flag: who is filtered need not be slowed down by what is done against Spectre for those who ask for it.
    syscall(317, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, u64(len(program) // 8) + u64(_ctypes.addressof(page)))


def capget() -> int:
    """The effective capabilities of this process as a bit set; capget(2)."""
    data = _Info()
    syscall(125, u32(LINUX_CAPABILITY_VERSION_3) + u32(0), data)
    raw = bytes(data.raw[:24])
    return int.from_bytes(raw[0:4], "little") | int.from_bytes(raw[12:16], "little") << 32


def capset(mask: int) -> None:
    """Make `mask` the permitted and effective capabilities, with none inheritable; capset(2)."""
    low, high = u32(mask & 0xFFFFFFFF), u32(mask >> 32)
    syscall(126, u32(LINUX_CAPABILITY_VERSION_3) + u32(0), low + low + u32(0) + high + high + u32(0))


# -- files --------------------------------------------------------------------------------------------------------------


def openat2(directory: int, path: bytes, flags: int, resolve: int) -> int:
    """openat2(2): a close-on-exec descriptor for `path`, resolved below `directory` as `resolve` asks."""
    how = u64(flags | 0x80000) + u64(0) + u64(resolve)
    for _ in range(1000):
        try:
            return syscall(437, directory, path, how, 24)
        except OSError as error:
            # Somewhere something was mounted or renamed while the kernel went up a `..`: it asks to be asked again.
            if error.errno != EAGAIN:
                raise
    return syscall(437, directory, path, how, 24)


def working_directory() -> bytes:
    """getcwd(2), the system call itself: what lies outside of the root begins with `(unreachable)`, which libc would hide."""
    page = _Page()
    length = syscall(79, page, 32768)
    return bytes(page.raw[: length - 1])


def mount_id(fd: int) -> int:
    """The number of the mount that the descriptor `fd` lies on; statx(2), since Linux 5.8."""
    page = _Page()
    syscall(332, fd, b"", AT_EMPTY_PATH, STATX_MNT_ID, page)
    return int.from_bytes(page.raw[144:152], "little")


def file_system_type(fd: int) -> int:
    """The magic number of the file system that the descriptor `fd` lies on, as linux/magic.h names it; fstatfs(2)."""
    page = _Page()
    syscall(138, fd, page)
    return int.from_bytes(page.raw[:4], "little")


def close_range(first: int, last: int, flags: int = 0) -> None:
    """close_range(2)."""
    syscall(436, first, last, flags)


def fcntl(fd: int, command: int, argument: "int | bytes") -> int:
    """fcntl(2)."""
    return syscall(72, fd, command, argument)


def flock(fd: int, operation: int) -> None:
    """flock(2)."""
    syscall(73, fd, operation)


def renameat2(directory: int, path: bytes, to: int, name: bytes, flags: int) -> None:
    """renameat2(2)."""
    syscall(316, directory, path, to, name, flags)


def memfd(name: bytes) -> int:
    """An empty, executable, close-on-exec memory file; memfd_create(2). Linux before 6.3 does not know MFD_EXEC."""
    try:
        return syscall(319, name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC)
    except OSError:
        return syscall(319, name, MFD_CLOEXEC | MFD_ALLOW_SEALING)


def fill_and_seal(fd: int, content: bytes) -> None:
    """Write `content` to the memfd, whole, and let nobody change it any more; fcntl(2), F_ADD_SEALS."""
    if syscall(1, fd, content, len(content)) != len(content):
        raise OSError(ENOSPC, "")
    fcntl(fd, F_ADD_SEALS, F_SEAL_ALL)


# -- mounts: the descriptor-based interface of Linux 5.2, 5.12 (mount_setattr) -------------------------------------------


def open_tree(directory: int, path: bytes, flags: int = 0) -> int:
    """open_tree(2): a detached private copy of the mount at `path`, on a close-on-exec descriptor."""
    return syscall(428, directory, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags)


def move_mount(mount: int, directory: int, path: bytes = b"") -> None:
    """move_mount(2): attach the detached `mount` at `path` below `directory` (or at `directory` itself)."""
    syscall(429, mount, b"", directory, path, MOVE_MOUNT_F_EMPTY_PATH | (0 if path else MOVE_MOUNT_T_EMPTY_PATH))


def mount_setattr(mount: int, attributes: int, flags: int = AT_EMPTY_PATH, propagation: int = 0) -> None:
    """mount_setattr(2): add `attributes` (MOUNT_ATTR_*) to `mount`, to all below it with AT_RECURSIVE."""
    syscall(442, mount, b"", flags | AT_EMPTY_PATH, u64(attributes) + u64(0) + u64(propagation) + u64(0), 32)


def new_mount(kind: bytes, options: "tuple[tuple[bytes, bytes], ...]" = (), attributes: int = 0) -> int:
    """A detached mount of a new file system; fsopen(2), fsconfig(2), fsmount(2)."""
    context = syscall(430, kind, FSOPEN_CLOEXEC)
    try:
        for key, value in options:
            if value:
                syscall(431, context, FSCONFIG_SET_STRING, key, value, 0)
            else:
                syscall(431, context, FSCONFIG_SET_FLAG, key, None, 0)
        syscall(431, context, FSCONFIG_CMD_CREATE, None, None, 0)
        return syscall(432, context, FSMOUNT_CLOEXEC, attributes)
    finally:
        close(context)


def go_to_the_namespaces_root() -> None:
    """setns(2) into the mount namespace that this process is in: its root and working directory become what any process
    finds that joins the namespace, the top-most mount at the namespace's own root. By pidfd: no /proc is asked.
    """
    own = posix.pidfd_open(posix.getpid())
    try:
        setns(own, CLONE_NEWNS)
    finally:
        close(own)


def make_all_mounts_private() -> None:
    """mount(2) with MS_REC | MS_PRIVATE on `/`: nothing mounted from now on is seen outside this namespace."""
    syscall(165, None, b"/", None, MS_REC | MS_PRIVATE, None)


def pivot_root_here() -> None:
    """pivot_root(".", ".") and the old root, now on top of the new one, taken away; pivot_root(2) allows both."""
    syscall(155, b".", b".")
    unmount_here()


def unmount_here() -> None:
    """umount2(2) of the last mount that was put on the working directory, with all below it."""
    syscall(166, b".", MNT_DETACH)


# -- signals ------------------------------------------------------------------------------------------------------------


def signal_mask(how: int, mask: bytes) -> bytes:
    """rt_sigprocmask(2): change the mask, return the old one (8 bytes each)."""
    old = _Info()
    syscall(14, how, mask, old, 8)
    return bytes(old.raw[:8])


def pending_signals() -> int:
    """rt_sigpending(2) as a bit set: signal n is bit n - 1."""
    pending = _Info()
    syscall(127, pending, 8)
    return int.from_bytes(pending.raw[:8], "little")


def signal_action(signal: int, handler: int) -> int:
    """rt_sigaction(2): set SIG_DFL or SIG_IGN, return the old handler."""
    old = _Info()
    syscall(13, signal, u64(handler) + b"\0" * 24, old, 8)
    return int.from_bytes(old.raw[:8], "little")


def signalfd(mask: bytes, fd: int = -1) -> int:
    """signalfd4(2): a close-on-exec descriptor that yields the signals of `mask`; `fd`, if it is one already."""
    return syscall(289, fd & 0xFFFFFFFFFFFFFFFF, mask, 8, SFD_CLOEXEC)


def halve_signal_queue() -> None:
    """prlimit64(2): let this process have half as many queued signals as it was allowed."""
    limits = _Info()
    syscall(302, 0, RLIMIT_SIGPENDING, None, limits)
    most = int.from_bytes(limits.raw[:8], "little")
    syscall(302, 0, RLIMIT_SIGPENDING, u64(most - most // 2) + limits.raw[8:16], None)


def queue_signal(pid: int, signal: int, sender: int, uid: int, value: int) -> None:
    """rt_sigqueueinfo(2): send `signal` with its value, as sigqueue(3) sent it to us."""
    syscall(
        129, pid, signal, u32(signal) + u32(0) + u32(0xFFFFFFFF) + u32(0) + u32(sender) + u32(uid) + u64(value) + b"\0" * 96
    )


def kill_by(pidfd: int, signal: int) -> None:
    """pidfd_send_signal(2)."""
    syscall(424, pidfd, signal, None, 0)


def ptrace_detach(pid: int, signal: int) -> None:
    """ptrace(2): let a program that asked to be traced by us go on with `signal`."""
    syscall(101, PTRACE_DETACH, pid, 0, signal)


def no_core_dump() -> None:
    """prlimit64(2): this process leaves no core file."""
    syscall(302, 0, RLIMIT_CORE, b"\0" * 16, None)


def poll(readable: "tuple[int, ...]", writable: "tuple[int, ...]" = (), timeout: int = -1) -> "list[int]":
    """Wait until some of the descriptors can be read or written (or hung up) and return those; poll(2).

    `timeout` is in milliseconds; -1 waits for ever.
    """
    fds = readable + writable
    table = _Info()
    raw = b"".join([u32(fd) + u16(POLLIN) + u16(0) for fd in readable] + [u32(fd) + u16(POLLOUT) + u16(0) for fd in writable])
    table[: len(raw)] = raw
    while True:
        try:
            syscall(7, table, len(fds), timeout & 0xFFFFFFFFFFFFFFFF)
        except InterruptedError:
            continue
        answer = table.raw
        return [fd for i, fd in enumerate(fds) if answer[8 * i + 6] or answer[8 * i + 7]]


# -- terminals ----------------------------------------------------------------------------------------------------------


def ioctl(fd: int, request: int, argument: "int | bytes" = 0) -> int:
    """ioctl(2) that gives the kernel a number or a structure."""
    return syscall(16, fd, request, argument)


def ioctl_get(fd: int, request: int, size: int) -> bytes:
    """ioctl(2) that asks the kernel for a structure of `size` bytes, at most 128."""
    answer = _Info()
    syscall(16, fd, request, answer)
    return bytes(answer.raw[:size])


def send_at_once(fd: int, data: bytes) -> int:
    """sendto(2) without waiting and without SIGPIPE; how much of `data` the socket took. EAGAIN: nothing."""
    return syscall(44, fd, data, len(data), MSG_DONTWAIT | MSG_NOSIGNAL, None, 0)


# -- netlink ------------------------------------------------------------------------------------------------------------


def netlink_socket() -> int:
    """socket(2): a close-on-exec NETLINK_ROUTE socket of the current network namespace."""
    return syscall(41, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0)


def bind_netlink(fd: int, port: int) -> None:
    """bind(2): take the port id `port`, from 1 up. EADDRINUSE: a netlink socket of this network namespace has it."""
    syscall(49, fd, u16(AF_NETLINK) + u16(0) + u32(port) + u32(0), 12)


def set_option(fd: int, level: int, option: int, value: int) -> None:
    """setsockopt(2) with an integer."""
    syscall(54, fd, level, option, u32(value), 4)


def close(fd: int) -> None:
    """close(2)."""
    syscall(3, fd)


def send(fd: int, message: bytes) -> None:
    """sendto(2) the kernel."""
    syscall(44, fd, message, len(message), 0, None, 0)


def receive(fd: int) -> bytes:
    """recvfrom(2): the next datagram."""
    page = _Page()
    length = syscall(45, fd, page, 32768, 0, None, None)
    return bytes(page.raw[:length])
