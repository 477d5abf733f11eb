"""Steps that take privileges away; capabilities(7), no_new_privs in prctl(2), keyctl(2).

Their order in the plan is forced: the bounding set needs CAP_SETPCAP and the user needs CAP_SETUID, so both come before
the capabilities are given up.
"""

import posix

from contain import linux
from contain.hierarchy import read
from contain.step import Live, Step

# linux/capability.h. What distributions' programs were seen to need as root, and no more.
_BASE = (
    (0, "chown"), (1, "dac_override"), (3, "fowner"), (4, "fsetid"), (5, "kill"), (6, "setgid"), (7, "setuid"),
    (10, "net_bind_service"), (18, "sys_chroot"),
)  # fmt: skip
_NET_RAW = (13, "net_raw")

# What the launcher itself must have, by the name to tell the user.
NEEDED = (
    (21, "CAP_SYS_ADMIN"), (18, "CAP_SYS_CHROOT"), (12, "CAP_NET_ADMIN"), (8, "CAP_SETPCAP"), (19, "CAP_SYS_PTRACE"),
    (7, "CAP_SETUID"), (6, "CAP_SETGID"), (27, "CAP_MKNOD"), (1, "CAP_DAC_OVERRIDE"),
)  # fmt: skip

# Classic BPF as in linux/filter.h: code, how many to leap over if it holds and if not, operand; linux/seccomp.h has what is
# loaded. The numbers of the system calls: clone3, unshare, clone.
_LOAD, _AND, _EQUALS, _HAS, _RETURN = 0x20, 0x54, 0x15, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_FILTER = (
    (_LOAD, 0, 0, 4), (_EQUALS, 0, 5, 0xC000003E),  # the architecture: x86-64
    (_LOAD, 0, 0, 0), (_AND, 0, 0, 0xBFFFFFFF),  # without the bit of x32
    (_EQUALS, 10, 0, 435), (_EQUALS, 6, 0, 272), (_EQUALS, 5, 7, 56),
    (_LOAD, 0, 0, 0), (_EQUALS, 6, 0, 435), (_EQUALS, 2, 0, 310), (_EQUALS, 1, 0, 120), (_RETURN, 0, 0, _ALLOW),  # i386
    (_LOAD, 0, 0, 16), (_HAS, 2, 0, linux.CLONE_NEWCGROUP), (_RETURN, 0, 0, _ALLOW),  # the flags
    (_RETURN, 0, 0, _ERRNO | 38), (_RETURN, 0, 0, _ERRNO | 1),
)  # fmt: skip


def missing_capabilities() -> "list[str]":
    """The names of the capabilities that a launch needs and this process lacks."""
    have = linux.capget()
    return [name for bit, name in NEEDED if not have >> bit & 1]


def last_capability() -> int:
    """The number of the last capability that this kernel has; proc_sys_kernel(5). Raises OSError."""
    return int(read(b"/proc/sys/kernel/cap_last_cap"))


class Capabilities(Step):
    """In the program: at most these capabilities, now and after any exec; none inheritable, none ambient."""

    def __init__(self, network: bool, last: int) -> None:
        self.last = last
        self.kept = _BASE + ((_NET_RAW,) if network else ())
        self.mask = 0
        for bit, _ in self.kept:
            self.mask |= 1 << bit

    def __str__(self) -> str:
        return "setpriv --inh-caps=-all --ambient-caps=-all --bounding-set=-all," + ",".join(["+" + n for _, n in self.kept])

    def run(self, live: Live) -> None:
        drop_bounding_set(self.mask, self.last)


class LimitCapabilities(Step):
    """In the program, after the user is set: the permitted and effective sets brought down to the bounding set."""

    def __init__(self, mask: int) -> None:
        self.mask = mask

    def __str__(self) -> str:
        return f"capset permitted=effective={self.mask:#x} inheritable=0"

    def run(self, live: Live) -> None:
        linux.prctl(linux.PR_CAP_AMBIENT, linux.PR_CAP_AMBIENT_CLEAR_ALL)
        linux.capset(self.mask & linux.capget())


class EmptyBoundingSet(Step):
    """In init: no exec brings a capability; those it has it keeps until it is done."""

    def __init__(self, last: int) -> None:
        self.last = last

    def __str__(self) -> str:
        return "setpriv --bounding-set=-all"

    def run(self, live: Live) -> None:
        drop_bounding_set(0, self.last)


class NoCapabilities(Step):
    """In init, at the end: nothing is left to take over."""

    def __str__(self) -> str:
        return "setpriv --no-new-privs && capset permitted=effective=inheritable=0"

    def run(self, live: Live) -> None:
        linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
        linux.capset(0)


class NoNewPrivileges(Step):
    """In the program: no exec gains a privilege, whatever bits a file bears."""

    def __str__(self) -> str:
        return "setpriv --no-new-privs"

    def run(self, live: Live) -> None:
        linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)


class OneCgroupNamespace(Step):
    """In the program, in its cgroup namespace already: it makes no other.

    To whoever has a cgroup namespace of a user namespace of his own the kernel mounts his cgroups, and to user 0 all files in
    them are writable: the program's own limits, and where it has no group of its own all groups of the launcher's.
    """

    def __str__(self) -> str:
        return "seccomp  # unshare and clone with CLONE_NEWCGROUP: EPERM; clone3, whose flags can't be seen: ENOSYS"

    def run(self, live: Live) -> None:
        u16, u32 = linux.u16, linux.u32
        linux.seccomp(b"".join([u16(code) + bytes((then, other)) + u32(k) for code, then, other, k in _FILTER]))


class SessionKeyring(Step):
    """In the program: an empty session keyring; the caller's would be readable inside."""

    def __str__(self) -> str:
        return "keyctl new_session"

    def run(self, live: Live) -> None:
        try:
            linux.join_session_keyring()
        except OSError as error:
            if error.errno != 38:  # ENOSYS: a kernel without keyrings has none to hide
                raise


class User(Step):
    """In the program: user and group, and no supplementary groups of the caller."""

    def __init__(self, uid: int, gid: int) -> None:
        self.uid, self.gid = uid, gid

    def __str__(self) -> str:
        return f"setpriv --reuid={self.uid} --regid={self.gid} --clear-groups"

    def run(self, live: Live) -> None:
        posix.setgroups([])
        posix.setresgid(self.gid, self.gid, self.gid)
        posix.setresuid(self.uid, self.uid, self.uid)


def drop_bounding_set(kept: int, last: int) -> None:
    """Take every capability from 0 to `last` but `kept` (a bit set) out of the bounding set. Raises OSError."""
    for bit in range(last + 1):
        if not kept >> bit & 1:
            linux.prctl(linux.PR_CAPBSET_DROP, bit)
