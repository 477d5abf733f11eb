"""Odd files where a program's are due: `files.py CONTAIN ROOTFS SECONDS ROLE OPTIONS…` prints what is opened and what hangs.

A root has a node `/node` in that role: `/node` is the program, or `/uses` needs it. inotify(7) is the witness of an open.
"""

import ctypes
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

IN_OPEN, IN_NONBLOCK = 0x20, 0x800  # sys/inotify.h
contain, rootfs, seconds, role, *options = sys.argv[1:]
root, libc = Path(rootfs), ctypes.CDLL(None)
node = root / "node"
KINDS = ("character device", "block device", "FIFO", "FIFO behind a link", "socket", "directory")
RUNS = {"library", "library at a path", "PATH entry", "bind source"}  # the node is passed over, or of no matter
WORDS = {
    "program": ["--", "/node"],
    "PATH entry": ["--env", "PATH=/first:/second", "--", "ran"],
    "interpreter": ["--", "/uses"],
    "interpreter's interpreter": ["--", "/uses"],
    "loader": ["--", "/uses"],
    "library": ["--", "/uses"],
    "library at a path": ["--", "/uses"],
    "bind source": ["--bind", f"{node}:/bound", "--", "/second/ran"],
}[role]


def block_device() -> int:
    """The number of a disk that may be opened for reading without harm; of none, if the machine has none."""
    for name in ("loop0", "vda", "sda", "nvme0n1"):
        number = Path("/sys/block", name, "dev")
        if number.exists():
            return os.makedev(*map(int, number.read_text().split(":")))
    return os.makedev(240, 240)


def make(kind: str) -> Path:
    """The node; answers what is to be watched."""
    if kind == "character device":
        os.mknod(node, stat.S_IFCHR | 0o755, os.makedev(1, 3))
    elif kind == "block device":
        os.mknod(node, stat.S_IFBLK | 0o755, block_device())
    elif kind == "FIFO":
        os.mkfifo(node, 0o755)
    elif kind == "FIFO behind a link":
        os.mkfifo(root / "behind", 0o755)
        node.symlink_to("behind")
        return root / "behind"
    elif kind == "socket":
        here = os.open(root, os.O_PATH)
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(f"/proc/self/fd/{here}/node")
        os.close(here)
        node.chmod(0o755)
    else:
        node.mkdir()
    return node


def remove(kind: str) -> None:
    """The node and what belongs to it."""
    if kind == "directory":
        node.rmdir()
    else:
        node.unlink()
    (root / "behind").unlink(missing_ok=True)


def judgement(kind: str) -> str:
    """What is wrong with a launch; empty if nothing is."""
    watch = libc.inotify_init1(IN_NONBLOCK)
    libc.inotify_add_watch(watch, os.fsencode(make(kind)), IN_OPEN)
    command = [contain, "--chroot", rootfs, "--quiet", "--memory-limit", "60m", *options, *WORDS]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=float(seconds), check=False)
    except subprocess.TimeoutExpired:
        return "it hangs"
    finally:
        try:
            opened = len(os.read(watch, 4096)) // 16
        except BlockingIOError:
            opened = 0
        os.close(watch)
        remove(kind)
    shown = f"status {ran.returncode}, {ran.stdout!r}, {ran.stderr!r}"
    if opened:
        return f"it was opened {opened} times: {shown}"
    if role in RUNS:
        return "" if ran.stdout == "ran\n" else shown
    named = ran.stderr.startswith("contain: ") and ran.stderr.count("\n") <= 2
    kind_named = kind.split()[-1].replace("link", "FIFO") in ran.stderr
    return "" if ran.returncode in (126, 127) and named and kind_named else shown


for each in KINDS:
    wrong = judgement(each)
    if wrong:
        print(f"{role}, {each}: {wrong}")
