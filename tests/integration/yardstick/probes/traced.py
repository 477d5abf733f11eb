"""Programs that ask to be traced, or trace, or make children in unusual ways: `traced.py CASE` ends with 7 if all is well."""

import ctypes
import os
import signal
import sys

libc = ctypes.CDLL(None, use_errno=True)
PTRACE_TRACEME, PTRACE_CONT = 0, 7  # linux/ptrace.h
SYS_clone, CLONE_PARENT = 56, 0x8000  # asm/unistd_64.h, linux/sched.h


def traceme() -> None:
    assert libc.ptrace(PTRACE_TRACEME, 0, 0, 0) == 0, os.strerror(ctypes.get_errno())


def a_signal() -> int:
    """A signal under a handler, while traced by the parent."""
    seen = []
    signal.signal(signal.SIGUSR1, lambda number, _: seen.append(number))
    traceme()
    os.kill(os.getpid(), signal.SIGUSR1)
    return 7 if seen == [signal.SIGUSR1] else 1


def an_exec() -> int:
    """An exec, which stops a traced program by SIGTRAP."""
    traceme()
    os.execv("/bin/sh", ["sh", "-c", "exit 7"])  # noqa: S606 - a shell is what is started


def a_death() -> int:
    """A deadly signal, which the tracer has to let through."""
    traceme()
    os.kill(os.getpid(), signal.SIGTERM)
    return 1


def a_child() -> int:
    """A child that is traced by the program itself."""
    pid = os.fork()
    if not pid:
        traceme()
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(3)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSTOPPED(status)
    assert libc.ptrace(PTRACE_CONT, pid, 0, 0) == 0
    _, status = os.waitpid(pid, 0)
    return 7 if os.waitstatus_to_exitcode(status) == 3 else 1


def clone_parent(status: int) -> int:
    pid: int = libc.syscall(SYS_clone, CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
    if not pid:
        os._exit(status)
    assert pid > 0, os.strerror(ctypes.get_errno())
    return pid


def a_sibling() -> int:
    """A child made with CLONE_PARENT is the launcher's child, and ends with another status."""
    clone_parent(3)
    return 7


def siblings() -> int:
    """A hundred of them, some of which are killed."""
    for number in range(100):
        pid = clone_parent(number)
        if number % 3 == 0:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
    return 7


def vfork() -> int:
    """posix_spawn(3), which is a clone with CLONE_VFORK."""
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 3"], {})
    _, status = os.waitpid(pid, 0)
    return 7 if os.waitstatus_to_exitcode(status) == 3 else 1


CASES = {case.__name__.replace("_", " "): case for case in (a_signal, an_exec, a_death, a_child, a_sibling, siblings, vfork)}
sys.exit(CASES[sys.argv[1]]())
