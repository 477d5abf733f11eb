"""SIGKILL at any moment of a launch: `kills.py CONTAIN ROOTFS ROUNDS OPTIONS…` prints what outlived a launcher by a second."""

import ctypes
import os
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h: the orphans come to us, and are seen
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children() -> list[str]:
    """Who lives on, once the dead are collected."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return []
    pids = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") for pid in pids]


contain, rootfs, rounds, *options = sys.argv[1:]
words = [contain, "--chroot", rootfs, "--quiet", *options, "--"]
began = time.monotonic()
subprocess.run([*words, "true"], check=True)
launch = time.monotonic() - began
for step in range(int(rounds)):
    running = subprocess.Popen([*words, "sleep", "1000"])
    time.sleep(launch * 1.5 * step / int(rounds))
    running.kill()
    running.wait()
    deadline = time.monotonic() + max(1.0, 10 * launch)
    while (left := children()) and time.monotonic() < deadline:
        time.sleep(0.005)
    if left:
        print(f"step {step}: {left} lives on")
subprocess.run([*words, "true"], check=True)
