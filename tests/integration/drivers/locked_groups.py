"""A group's directory is locked by somebody: `locked_groups.py CONTAIN UID KIND MOMENT STOP OPTIONS…` prints what came of it.

The launcher is traced and held right after each mkdir of a group (MOMENT `made`), or before each rmdir of one (`removed`),
while the user UID opens the directory and takes a lock of KIND, `shared` or `exclusive`, held until the launcher has ended.
STOP is how the launcher is ended: `end` (its program ends by itself), or a signal's name.
"""

import ctypes
import fcntl
import os
import signal
import struct
import subprocess
import sys
import time

TRACEME, DETACH, SYSCALL, SETOPTIONS, GET_SYSCALL_INFO = 0, 17, 24, 0x4200, 0x420E  # linux/ptrace.h
TRACESYSGOOD, ENTRY, EXIT = 1, 1, 2
MKDIR, MKDIRAT, RMDIR, UNLINKAT = 83, 258, 84, 263  # asm/unistd_64.h
FORKS = (56, 57, 58, 435)
LATE = 0.2  # seconds that a launch may be late

contain, uid, kind, moment, stop, *options = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
calls = (MKDIR, MKDIRAT) if moment == "made" else (RMDIR, UNLINKAT)
lock = {"shared": fcntl.LOCK_SH, "exclusive": fcntl.LOCK_EX}[kind] | fcntl.LOCK_NB
words = [contain, "--quiet", *options, "--", "sh", "-c"]
held: list[int] = []
seen: list[bytes] = []
held_since = 0.0


def take(path: bytes) -> None:
    """Open and lock it as the user; whether that is possible is not the question."""
    global held_since
    held_since = held_since or time.monotonic()
    seen.append(path)
    os.seteuid(int(uid))
    try:
        held.append(os.open(path, os.O_RDONLY | os.O_DIRECTORY))
        fcntl.flock(held[-1], lock)
    except OSError:
        pass
    finally:
        os.seteuid(0)


def call(pid: int) -> tuple[int, int, list[int]]:
    """Whether the traced process enters or leaves a system call, its number, and its arguments at entry."""
    raw = ctypes.create_string_buffer(88)
    libc.ptrace(GET_SYSCALL_INFO, pid, 88, raw)
    info = struct.unpack("=11Q", raw.raw)  # struct ptrace_syscall_info: op in the first byte, from the fourth on what is said
    return info[0] & 0xFF, info[3], list(info[4:10])


def word(pid: int, address: int) -> bytes:
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        return memory.read(64 if address & 0xFFF > 0xF00 else 256).partition(b"\0")[0]


def hold(pid: int) -> "int | None":
    """Trace the launcher and lock its groups, until it makes its first child or ends; then answer its wait status."""
    path, passed = b"", 0
    while True:
        libc.ptrace(SYSCALL, pid, None, passed)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            return status
        passed = 0 if os.WSTOPSIG(status) in (signal.SIGTRAP, signal.SIGTRAP | 0x80) else os.WSTOPSIG(status)
        if os.WSTOPSIG(status) != signal.SIGTRAP | 0x80:
            continue
        op, number, arguments = call(pid)
        if op == ENTRY:
            path = word(pid, arguments[number in (MKDIRAT, UNLINKAT)]) if number in calls else b""
            if moment == "made" and number in FORKS:
                libc.ptrace(DETACH, pid, None, None)
                return None
        if b"/contain-" in path and op == (EXIT if moment == "made" else ENTRY):
            take(path)


def launch(script: str) -> tuple[int, int, int]:
    """The launcher, ready to be traced by us: its process id, its standard output and standard error."""
    out, err = os.pipe(), os.pipe()
    pid = os.fork()
    if not pid:
        os.dup2(out[1], 1)
        os.dup2(err[1], 2)
        libc.ptrace(TRACEME, 0, None, None)
        os.execv(words[0], [*words, script])  # noqa: S606 - what is traced must be our child, and no shell
    os.close(out[1])
    os.close(err[1])
    os.waitpid(pid, 0)
    libc.ptrace(SETOPTIONS, pid, None, TRACESYSGOOD)
    return pid, out[0], err[0]


def all_of(fd: int) -> bytes:
    said = b""
    while more := os.read(fd, 4096):
        said += more
    return said


def limit(_: int, __: object) -> None:
    """The launcher hangs: end it, and let another remove what it leaves."""
    os.kill(pid, signal.SIGKILL)
    print(f"{shown}: not done after {most:.1f} s")
    sys.stdout.flush()
    for fd in held:
        os.close(fd)
    os.waitpid(pid, 0)
    subprocess.run([*words, "exit 7"])
    os._exit(0)


shown = f"{moment}, {kind}, user {uid}, {stop}"
began = time.monotonic()
subprocess.run([*words, "exit 7"])
alone = time.monotonic() - began
most = 3 + 20 * alone
pid, out, err = launch("echo in; exit 7" if stop == "end" else "echo in; exec sleep 1000")
signal.signal(signal.SIGALRM, limit)
signal.setitimer(signal.ITIMER_REAL, most)
status = hold(pid)
started = os.read(out, 3)
if status is None:
    if stop != "end":
        os.kill(pid, getattr(signal, f"SIG{stop}"))
    _, status = os.waitpid(pid, 0)
took = time.monotonic() - held_since
said = all_of(err)
if (started, status, said) != (b"in\n", 7 << 8 if stop == "end" else getattr(signal, f"SIG{stop}"), b""):
    print(f"{shown}: {started!r}, status {status:#x}, {said!r}")
if took > 3 * alone + LATE:  # who waits for the lock waits until it is let go, which is much longer
    print(f"{shown}: {took:.3f} s, without a lock {alone:.3f} s")
left = [path for path in seen if os.path.exists(path)]
if left or not seen:
    print(f"{shown}: {left} stay of {seen}")
