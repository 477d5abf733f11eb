"""What a launch could leave behind on this host, as sets of lines that can be compared."""

import os
import re
from collections.abc import Iterator
from pathlib import Path


def children(pid: int) -> Iterator[int]:
    """By all threads of a process; proc_pid_task_children(5)."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return
    for thread in threads:
        try:
            yield from map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
        except OSError:
            continue


def shown(pid: int) -> str:
    """The command line and the state of a process; a zombie has only its name."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return "gone"
    head, _, tail = stat.rpartition(b")")
    name = words.replace(b"\0", b" ") or head.partition(b"(")[2]
    return f"{name.decode('utf-8', 'backslashreplace').strip()} [{tail.split()[0].decode()}]"


def descendants(root: int) -> dict[int, str]:
    """Every process below `root` with its command line; zombies too."""
    found: dict[int, str] = {}
    unseen = [root]
    while unseen:
        for pid in children(unseen.pop()):
            if pid not in found:
                found[pid] = shown(pid)
                unseen.append(pid)
    return found


def owner_lives(name: str) -> bool:
    """Whether a number in a cgroup's name is a living process: then it belongs to somebody else's running launch."""
    digits = "".join(c if c.isdigit() else " " for c in name).split()
    return any(int(word) > 1 and os.path.exists(f"/proc/{word}") for word in digits[:2])


def cgroups(mine: bool = True) -> Iterator[str]:
    """Directories that contain made, in any hierarchy; `mine` leaves out those of launches that still run."""
    for folder, below, _ in os.walk("/sys/fs/cgroup"):
        for name in below:
            if re.fullmatch(r"contain(-\d.*)?", name) and not (mine and owner_lives(name)):
                yield os.path.join(folder, name)


def links() -> Iterator[str]:
    for name in os.listdir("/sys/class/net"):
        try:
            ports = sorted(os.listdir(f"/sys/class/net/{name}/brif"))
        except OSError:
            ports = []
        yield " ".join([name, *ports])


def lines(path: str) -> Iterator[str]:
    try:
        yield from Path(path).read_text(errors="backslashreplace").splitlines()
    except OSError:
        return


def mounts() -> Iterator[str]:
    """Mounts without their ids, which are given out anew."""
    for line in lines("/proc/self/mountinfo"):
        yield " ".join(line.split()[2:])


def entries(folder: str) -> Iterator[str]:
    try:
        yield from (os.path.join(folder, name) for name in os.listdir(folder))
    except OSError:
        return


def namespaces() -> Iterator[str]:
    """Namespaces that a process of ours lives in."""
    for pid in [*descendants(os.getpid()), os.getpid()]:
        for kind in ("cgroup", "ipc", "mnt", "net", "pid", "uts", "user", "time"):
            try:
                yield os.readlink(f"/proc/{pid}/ns/{kind}")
            except OSError:
                continue


def snapshot() -> dict[str, list[str]]:
    found = {
        "processes": (f"{pid} {name}" for pid, name in descendants(os.getpid()).items()),
        "namespaces": namespaces(),
        "cgroups": cgroups(),
        "links": links(),
        "mounts": mounts(),
        "SysV IPC": (line for kind in ("msg", "sem", "shm") for line in lines(f"/proc/sysvipc/{kind}")),
        "loop devices": (str(path) for path in Path("/sys/block").glob("loop*/loop")),
    }
    for folder in ("/tmp", "/run", "/run/netns", "/run/lock", "/var/tmp", "/dev/shm"):
        found[folder] = entries(folder)
    return {kind: sorted(set(what)) for kind, what in found.items()}
