"""Odd attributes handed down: `inherits.py CONTAIN SETS CASES OPTIONS…` prints what a launched program has otherwise than a
bare one, and not by a refusal that names it. SETS are words with commas between, CASES `kind` or `kind: value` with semicolons;
OPTIONS are those of the set `network`.

`inherits.py --sees` prints what a process sees of itself.
"""

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

libc = ctypes.CDLL(None, use_errno=True)
INFINITY = resource.RLIM_INFINITY
LIMITS = sorted({name for name in dir(resource) if name.startswith("RLIMIT_")} - {"RLIMIT_OFILE"} | {"RLIMIT_LOCKS"})
RLIMIT_LOCKS = 10  # asm-generic/resource.h
# linux/prctl.h: those that answer by their result, and those that write an int
PRCTL = {
    "PR_GET_DUMPABLE": 3, "PR_GET_KEEPCAPS": 7, "PR_GET_SECUREBITS": 27, "PR_GET_TIMERSLACK": 30, "PR_MCE_KILL_GET": 34,
    "PR_GET_THP_DISABLE": 42, "PR_GET_MDWE": 66, "PR_GET_MEMORY_MERGE": 68,
}  # fmt: skip
PRCTL_INT = {"PR_GET_PDEATHSIG": 2, "PR_GET_TSC": 25, "PR_GET_CHILD_SUBREAPER": 37}
# asm/unistd_64.h
SYS_sched_setattr, SYS_set_mempolicy, SYS_get_mempolicy, SYS_ioprio_set, SYS_ioprio_get = 314, 238, 239, 251, 252
SCHED_DEADLINE, SCHED_FLAG_RESET_ON_FORK = 6, 1  # linux/sched.h
OWN = (  # what contain changes on purpose, and what tells of another process
    "Name", "Umask", "State", "Tgid", "Ngid", "Pid", "PPid", "TracerPid", "NStgid", "NSpid", "NSpgid", "NSsid", "FDSize",
    "Groups", "Uid", "Gid", "NoNewPrivs", "SigQ", "SigPnd", "ShdPnd", "Threads", "Kthread",
)  # fmt: skip


def number(name: str) -> int:
    return RLIMIT_LOCKS if name == "RLIMIT_LOCKS" else int(getattr(resource, name))


def sees() -> dict[str, Any]:
    """All attributes of this process that it could have from its parent."""
    seen: dict[str, Any] = {name: list(resource.getrlimit(number(name))) for name in LIMITS}
    for name, option in PRCTL.items():
        seen[name] = libc.prctl(option, 0, 0, 0, 0)
    for name, option in PRCTL_INT.items():
        answer = ctypes.c_int(-1)
        libc.prctl(option, ctypes.byref(answer), 0, 0, 0)
        seen[name] = answer.value
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if not name.startswith(("Vm", "Rss", "Huge", "Cap", "Cpus", "Mems", "voluntary", "nonvoluntary")) and name not in OWN:
            seen[name] = value.strip()
    for name in ("oom_score_adj", "coredump_filter", "loginuid", "sessionid", "timens_offsets", "attr/current"):
        try:
            seen[name] = Path("/proc/self", name).read_text()
        except (OSError, ValueError):
            seen[name] = None
    mode = ctypes.c_int(-1)
    libc.syscall(SYS_get_mempolicy, ctypes.byref(mode), None, 0, None, 0)
    uname = os.uname()
    return seen | {
        "memory policy": mode.value,
        "affinity": sorted(os.sched_getaffinity(0)),
        "policy": os.sched_getscheduler(0),
        "priority": os.sched_getparam(0).sched_priority,
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "io priority": libc.syscall(SYS_ioprio_get, 1, 0),
        "personality": libc.personality(0xFFFFFFFF),
        "umask": os.umask(0),
        "machine": uname.machine,
        "release": uname.release,
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
    }


class Impossible(Exception):  # noqa: N818 - it is no error
    """This host has no such attribute, or its root may not set it."""


Deed = Callable[[], object]


def checked(result: int) -> None:
    if result < 0:
        raise Impossible(os.strerror(ctypes.get_errno()))


def limit(name: str, soft: int, hard: int | None = None) -> Deed:
    """`hard` None: as it is."""

    def deed() -> None:
        most = resource.getrlimit(number(name))[1]
        resource.setrlimit(number(name), (soft, most if hard is None else hard))

    return deed


def prctl(option: int, *values: int) -> Deed:
    return lambda: checked(libc.prctl(option, *values, *[0] * (4 - len(values))))


def write(name: str, value: str) -> Deed:
    def deed() -> None:
        try:
            Path("/proc/self", name).write_text(value)
        except OSError as error:
            raise Impossible(f"{name}: {error.strerror}") from None

    return deed


def schedule(policy: int, priority: int = 0, nice: int = 0) -> Deed:
    def deed() -> None:
        os.setpriority(os.PRIO_PROCESS, 0, nice)
        os.sched_setscheduler(0, policy, os.sched_param(priority))

    return deed


def deadline(flags: int) -> Deed:
    def deed() -> None:
        attr = b"".join(
            value.to_bytes(size, "little")
            for value, size in ((48, 4), (SCHED_DEADLINE, 4), (flags, 8), (0, 4), (0, 4), (10**6, 8), (10**7, 8), (10**7, 8))
        )
        checked(libc.syscall(SYS_sched_setattr, 0, attr, 0))

    return deed


def mempolicy(mode: int, nodes: int | None) -> Deed:
    def deed() -> None:
        mask = None if nodes is None else nodes.to_bytes(8, "little")
        checked(libc.syscall(SYS_set_mempolicy, mode, mask, 64 if mask else 0))

    return deed


def leaking(many: int) -> Deed:
    """Descriptors left open, up to the very limit but for `many`."""

    def deed() -> None:
        for _ in range(resource.getrlimit(resource.RLIMIT_NOFILE)[0] - len(os.listdir("/proc/self/fd")) + 1 - many):
            os.set_inheritable(os.open("/dev/null", os.O_RDONLY), True)

    return deed


def io_priority(value: int) -> Deed:
    return lambda: checked(libc.syscall(SYS_ioprio_set, 1, 0, value))


def personality(value: int) -> Deed:
    return lambda: libc.personality(value)


def umask(value: int) -> Deed:
    return lambda: os.umask(value)


def both(*deeds: Deed) -> Deed:
    return lambda: [deed() for deed in deeds]


def filtered() -> None:
    """A seccomp filter that allows everything."""

    allow = ctypes.create_string_buffer(b"\6\0\0\0\0\0\xff\x7f", 8)  # linux/filter.h: RET | K, SECCOMP_RET_ALLOW
    program = (1).to_bytes(8, "little") + ctypes.addressof(allow).to_bytes(8, "little")
    checked(libc.prctl(22, 2, program, 0, 0))


def signals(ignored: set[int], blocked: set[int]) -> Deed:
    def deed() -> None:
        for one in ignored:
            signal.signal(one, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    return deed


CATCHABLE = {int(one) for one in signal.valid_signals()} - {signal.SIGKILL, signal.SIGSTOP}
FILES, SIZE = "the limit of open files is", "the limit of the file size is"
# Kind: the odd values, each with the words of the refusal that is as good as passing it on; none where it must be passed on.
KINDS: dict[str, dict[str, tuple[Deed, str]]] = {
    f"RLIMIT_{name}": {
        "0": (limit(f"RLIMIT_{name}", 0, 0), ""), "1": (limit(f"RLIMIT_{name}", 1, 1), ""),
        "soft 0": (limit(f"RLIMIT_{name}", 0), ""), "soft 5": (limit(f"RLIMIT_{name}", 5), ""),
    }
    for name in ("CORE", "LOCKS", "MEMLOCK", "MSGQUEUE", "NICE", "NPROC", "RSS", "RTPRIO", "RTTIME", "SIGPENDING")
}  # fmt: skip
KINDS |= {
    "RLIMIT_NOFILE": {
        **{str(n): (limit("RLIMIT_NOFILE", n, n), FILES) for n in (5, 6, 8, 12, 16, 22, 24, 30)},
        **{f"soft {n}": (limit("RLIMIT_NOFILE", n, 300), "") for n in (5, 6, 8, 12, 16, 22, 24, 30)},
        "60": (limit("RLIMIT_NOFILE", 60, 60), ""),
        "60, 2 left": (both(limit("RLIMIT_NOFILE", 60, 60), leaking(2)), FILES),
        "60, 10 left": (both(limit("RLIMIT_NOFILE", 60, 60), leaking(10)), FILES),
        "300, 2 left": (both(limit("RLIMIT_NOFILE", 300, 400), leaking(2)), ""),
    },
    "RLIMIT_FSIZE": {
        **{str(n): (limit("RLIMIT_FSIZE", n, n), SIZE) for n in (0, 1, 100, 500)},
        "4096": (limit("RLIMIT_FSIZE", 4096, 4096), ""),
        "soft 0": (limit("RLIMIT_FSIZE", 0), ""), "soft 100": (limit("RLIMIT_FSIZE", 100, 8192), ""),
    },
    "RLIMIT_CPU": {"soft 3": (limit("RLIMIT_CPU", 3, 5), ""), "1000": (limit("RLIMIT_CPU", 1000, 1000), "")},
    "RLIMIT_AS": {"1 GiB": (limit("RLIMIT_AS", 1 << 30, 1 << 30), ""), "64 MiB": (limit("RLIMIT_AS", 1 << 26), "")},
    "RLIMIT_DATA": {"1 GiB": (limit("RLIMIT_DATA", 1 << 30, 1 << 30), ""), "64 MiB": (limit("RLIMIT_DATA", 1 << 26), "")},
    "RLIMIT_STACK": {
        "256 KiB": (limit("RLIMIT_STACK", 1 << 18, 1 << 18), ""), "1 MiB": (limit("RLIMIT_STACK", 1 << 20), ""),
        "unlimited": (limit("RLIMIT_STACK", INFINITY), ""),
    },
    "policy": {
        "batch": (schedule(os.SCHED_BATCH), ""), "idle": (schedule(os.SCHED_IDLE), ""),
        "fifo 1": (schedule(os.SCHED_FIFO, 1), ""), "rr 99": (schedule(os.SCHED_RR, 99), ""),
        "other, not on fork": (schedule(os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, 0, -5), ""),
        "idle, not on fork": (schedule(os.SCHED_IDLE | os.SCHED_RESET_ON_FORK, 0, 7), ""),
        "fifo 7, not on fork": (schedule(os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, 7), ""),
        "rr 3, not on fork": (schedule(os.SCHED_RR | os.SCHED_RESET_ON_FORK, 3, -20), ""),
        "deadline": (deadline(0), "SCHED_DEADLINE"),
        "deadline, not on fork": (deadline(SCHED_FLAG_RESET_ON_FORK), "SCHED_DEADLINE"),
    },
    "nice": {str(n): (schedule(os.SCHED_OTHER, 0, n), "") for n in (-20, -1, 1, 19)},
    "io priority": {str(n): (io_priority(n), "") for n in (1 << 13, 2 << 13 | 7, 3 << 13)},
    "timer slack": {str(n): (prctl(29, n), "") for n in (1, 77_777, 1 << 40)},
    "memory policy": {
        "bind": (mempolicy(2, 1), ""), "preferred": (mempolicy(1, 1), ""), "interleave": (mempolicy(3, 1), ""),
        "local": (mempolicy(4, None), ""),
    },
    "personality": {
        f"{n:#x}": (personality(n), "")
        for n in (0x0040000, 0x0400000, 0x0008, 0x0020000, 0x0200000, 0x0100000, 0x4000000, 0x2000000, 0x1000000, 0x8000000,
                  0x0008 | 0x8000000 | 0x0040000)
    },
    "affinity": {"first": (lambda: os.sched_setaffinity(0, {0}), ""),
                 "last": (lambda: os.sched_setaffinity(0, {max(os.sched_getaffinity(0))}), "")},
    "umask": {f"{n:o}": (umask(n), "") for n in (0, 0o077, 0o777)},
    "oom_score_adj": {n: (write("oom_score_adj", n), "") for n in ("1000", "500", "1", "-1", "-500", "-999", "-1000")},
    "coredump_filter": {n: (write("coredump_filter", n), "") for n in ("0", "0x7f")},
    "securebits": {
        "keep-caps locked": (prctl(28, 1 << 5), ""), "no setuid fixup": (prctl(28, 1 << 2), ""),
        "no ambient": (prctl(28, 1 << 6), ""), "no root": (prctl(28, 1), "the capability"),
    },
    "no_new_privs": {"set": (prctl(38, 1), "")},
    "death signal": {str(n): (prctl(1, n), "") for n in (signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1, 64)},
    "subreaper": {"set": (prctl(36, 1), "")},
    "pages": {
        "no huge ones": (prctl(41, 1), ""), "merged": (prctl(67, 1), ""), "none writable and executable": (prctl(65, 1), ""),
    },
    "machine checks": {"early": (prctl(33, 1, 1), ""), "late": (prctl(33, 1, 0), "")},
    "speculation": {"store bypass": (prctl(53, 0, 4), ""), "for good": (prctl(53, 0, 8), "")},
    "seccomp": {"a filter": (filtered, "")},
    "signals": {
        "all ignored": (signals(CATCHABLE, set()), ""), "all blocked": (signals(set(), CATCHABLE), ""),
        "odd and even": (signals({n for n in CATCHABLE if n % 2}, {n for n in CATCHABLE if not n % 2}), ""),
    },
}  # fmt: skip
CORES = sorted(os.sched_getaffinity(0))
SETS = {
    "none": [], "memory": ["--memory-limit", "64MiB"], "cores": ["--cpu-core-ids", ",".join(map(str, CORES))],
    "pids": ["--pids-limit", "50"], "tty": ["--tty"], "user": ["--user", "1000"], "network": [],
}  # fmt: skip
SETS["limits"] = SETS["memory"] + SETS["cores"] + SETS["pids"]


def start(argv: list[str], change: Deed) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        argv, preexec_fn=change, close_fds=False, restore_signals=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def expected(name: str, value: Any, options: list[str]) -> Any:
    """What the program is to have where a bare one has `value`."""
    if name == "affinity" and "--cpu-core-ids" in options:
        return CORES
    if name == "oom_score_adj" and value == "-1000\n" and "--memory-limit" in options:
        return "-999\n"
    if name == "PR_GET_DUMPABLE" and "--user" in options:
        return 1
    if name == "Seccomp":
        return "2"
    if name == "Seccomp_filters":  # contain's beside the caller's
        return str(int(value) + 1)
    return value


def possible(change: Deed) -> str:
    """Why `change` can't be made here; empty if it can."""
    readable, writable = os.pipe()
    if not os.fork():
        try:
            change()
        except Impossible as error:
            os.write(writable, str(error).encode())
        except (OSError, ValueError) as error:
            os.write(writable, str(error).encode())
        finally:
            os._exit(0)
    os.close(writable)
    why = os.read(readable, 1000).decode()
    os.close(readable)
    os.wait()
    return why


def differences(contain: str, options: list[str], change: Deed, words: str) -> list[str]:
    """What a launched program has otherwise than a bare one."""
    program = [sys.executable, "-IS", "-c", Path(__file__).read_text(), "--sees"]
    running = [start(argv, change) for argv in (program, [contain, "--chroot", "/", *options, "--", *program])]
    (out, bare_error), (told, error) = [one.communicate() for one in running]
    if running[0].returncode:
        return [f"bare: {bare_error.decode()[-300:]}"]
    bare = json.loads(out)
    if running[1].returncode == 125 and words:
        said = error.decode().splitlines()
        named = (
            said and said[0].startswith("contain: ") and words in said[0] and all(line.startswith("contain: ") for line in said)
        )
        return [] if named else [f"refused without {words!r}: {said}"]
    if running[1].returncode:
        return [f"status {running[1].returncode}: {error.decode()[-300:]}"]
    warned = bare["oom_score_adj"] == "-1000\n" and "--memory-limit" in options
    if (b"oom_score_adj" in error) != warned or (error and not warned):
        return [f"said: {error.decode()}"]
    launched = json.loads(told)
    wanted = {name: expected(name, value, options) for name, value in bare.items()}
    return [f"{name}: {wanted[name]!r} is {launched[name]!r}" for name in wanted if launched[name] != wanted[name]]


def main() -> None:
    contain, sets, cases, *network = sys.argv[1:]
    SETS["network"] = network
    for case in cases.split(";"):
        kind, _, only = case.partition(": ")
        for value, (change, words) in KINDS[kind].items():
            if only and value != only:
                continue
            if why := possible(change):
                print(f"{kind}: {value}: impossible here: {why}")
                continue
            for name in sets.split(","):
                for line in differences(contain, SETS[name], change, words):
                    print(f"{kind}: {value}, {name}: {line}")


if __name__ == "__main__":
    if sys.argv[1] == "--sees":
        print(json.dumps(sees()))
    else:
        main()
