"""Own cgroups, mounted in a user namespace of its own: `own_cgroups.py WAY`, inside; prints what of them it may write."""

import ctypes
import errno
import mmap
import os
import sys
from collections.abc import Callable

libc = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWCGROUP, NEWUSER, SIGCHLD = 0x20000, 0x2000000, 0x10000000, 17
UNSHARE, CLONE, X32 = 272, 56, 0x40000000  # asm/unistd_64.h; linux/audit.h has what x32 and i386 are
ALL = NEWUSER | NEWNS | NEWCGROUP
KINDS = [("cgroup2", ""), *(("cgroup", name) for name in ("memory", "cpuset", "pids", "freezer", "cpu", "devices"))]


def by_i386() -> int:
    """unshare(2) as a 32-bit program calls it: mov eax, 310; mov ebx, ALL; int 0x80, with rbx kept."""
    code = b"\x53\xb8" + (310).to_bytes(4, "little") + b"\xbb" + ALL.to_bytes(4, "little") + b"\xcd\x80\x5b\xc3"
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    return int(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))())


def cloned(number: int) -> int:
    pid = int(libc.syscall(number, ALL | SIGCHLD, None, None, None, None))
    if pid > 0:
        os.waitpid(pid, 0)
        os._exit(0)
    return pid


def cloned_3() -> int:
    arguments = b"".join(field.to_bytes(8, "little") for field in (ALL, 0, 0, 0, SIGCHLD, 0, 0, 0))
    pid = int(libc.syscall(435, arguments, len(arguments)))
    if pid > 0:
        os.waitpid(pid, 0)
        os._exit(0)
    if pid < 0 and ctypes.get_errno() != errno.ENOSYS:
        print("clone3: libc would not try clone instead:", os.strerror(ctypes.get_errno()))
    return pid


WAYS: "dict[str, Callable[[], int]]" = {
    "unshare": lambda: libc.unshare(ALL),
    "one by one": lambda: libc.unshare(NEWUSER) or libc.unshare(NEWCGROUP) or libc.unshare(NEWNS),
    "clone": lambda: cloned(CLONE),
    "clone3": cloned_3,
    "unshare of x32": lambda: libc.syscall(UNSHARE | X32, ALL),
    "clone of x32": lambda: cloned(CLONE | X32),
    "unshare of i386": by_i386,
    "the namespace that is there": lambda: libc.unshare(NEWUSER | NEWNS),
}
WAYS[sys.argv[1]]()
try:
    for name, line in (("setgroups", "deny"), ("uid_map", "0 0 1"), ("gid_map", "0 0 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(line)
except OSError:
    pass
for kind, controller in KINDS:
    if not libc.mount(b"none", b"/tmp", kind.encode(), 0, controller.encode()):
        print(kind, controller, *[name for name in os.listdir("/tmp") if os.access(f"/tmp/{name}", os.W_OK)][:5])
        libc.umount2(b"/tmp", 2)
