"""A program whose end is hard to see: `endings.py WAY`, inside; it ends with status 7, by whichever way."""

import ctypes
import os
import signal
import sys
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
TRACEME, SEIZE = 0, 0x4206  # linux/ptrace.h
EXIT, CLONE, GETPID, GETTID, TGKILL = 60, 56, 39, 186, 234  # asm/unistd_64.h
CLONE_PARENT, PR_SET_PTRACER = 0x8000, 0x59616D61


def in_thread(what: object) -> None:
    """Start a thread that does it, and wait until it says that it is about to."""
    begun = threading.Event()

    def run() -> None:
        libc.ptrace(TRACEME, 0, None, None)
        begun.set()
        what()  # type: ignore[operator]

    threading.Thread(target=run, daemon=True).start()
    begun.wait()
    time.sleep(0.1)


def stop_one() -> None:
    libc.syscall(TGKILL, os.getpid(), libc.syscall(GETTID), signal.SIGSTOP)


def clone_sibling(exit_signal: int) -> None:
    if not libc.syscall(CLONE, CLONE_PARENT | exit_signal, None, None, None, None):
        time.sleep(1000)


def traced_from_inside() -> None:
    """A process inside traces a thread of ours and never lets go."""
    libc.prctl(PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)
    named, parent = os.pipe(), os.getpid()
    done = os.pipe()

    def run() -> None:
        os.write(named[1], b"%d\n" % libc.syscall(GETTID))
        time.sleep(1000)

    threading.Thread(target=run, daemon=True).start()
    thread = int(os.read(named[0], 20))
    if not os.fork():
        if libc.ptrace(SEIZE, thread, None, None):
            os.write(2, b"seize: %d\n" % ctypes.get_errno())
        os.write(done[1], b"x" if parent else b"")
        time.sleep(1000)
    os.read(done[0], 1)


way = sys.argv[1]
if way == "a thread traced by the launcher has ended":
    in_thread(lambda: libc.syscall(EXIT, 0))
elif way == "a thread traced by the launcher is stopped":
    in_thread(stop_one)
elif way == "many threads traced by the launcher":
    for _ in range(20):
        in_thread(lambda: libc.syscall(EXIT, 0))
elif way == "traced by the launcher itself":
    libc.ptrace(TRACEME, 0, None, None)
    signal.signal(signal.SIGUSR1, lambda *_: None)
    os.kill(os.getpid(), signal.SIGUSR1)
elif way == "a sibling":
    clone_sibling(signal.SIGCHLD)
elif way == "a sibling that ends without a signal":
    clone_sibling(0)
elif way == "its first thread has ended":

    def last() -> None:
        time.sleep(0.2)
        os._exit(7)

    threading.Thread(target=last).start()
    libc.syscall(EXIT, 3)
elif way == "its first thread has ended and another handles signals":
    # Python runs handlers in the first thread only.
    handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda number: os.write(1, b"handled\n") if number == 10 else os._exit(7))
    libc.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
    for number in (signal.SIGUSR1, signal.SIGTERM):
        libc.signal(number, ctypes.cast(handler, ctypes.c_void_p))
    threading.Thread(target=time.sleep, args=(1000,)).start()
    os.write(1, b"ending\n")
    libc.syscall(EXIT, 3)
elif way == "children that stop again and again":
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    for _ in range(300):
        if not libc.syscall(CLONE, CLONE_PARENT | signal.SIGCHLD, None, None, None, None):
            own = libc.syscall(GETPID)  # Python's is the parent's
            while True:
                libc.ptrace(TRACEME, 0, None, None)
                libc.kill(own, signal.SIGUSR1)
    os.write(1, b"ending\n")
    time.sleep(1000)
elif way == "a tracer inside holds on":
    traced_from_inside()
    os.write(1, b"ending\n")
os._exit(7)
