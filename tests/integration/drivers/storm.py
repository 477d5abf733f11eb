"""Launches while something is mounted all the time: `storm.py CONTAIN ROOTFS FOLDER ROUNDS STEPS` prints those that failed.

The program's path goes up STEPS times: the more, the likelier a mount falls into its resolution.
"""

import ctypes
import os
import signal
import subprocess
import sys

CLONE_NEWNS, MS_BIND, MNT_DETACH = 0x20000, 0x1000, 2  # linux/sched.h, linux/mount.h

contain, rootfs, folder, rounds, steps = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
storm = os.fork()
if not storm:
    libc.unshare(CLONE_NEWNS)
    libc.mount(b"none", b"/", None, ctypes.c_ulong(0x44000), None)  # MS_REC | MS_PRIVATE
    place = folder.encode()
    while True:
        libc.mount(place, place, None, ctypes.c_ulong(MS_BIND), None)
        libc.umount2(place, MNT_DETACH)
path = "bin/" + "../bin/" * int(steps) + "sh"
for step in range(int(rounds)):
    ran = subprocess.run([contain, "--chroot", rootfs, "--quiet", "--", path, "-c", "exit 7"], capture_output=True)
    if (ran.returncode, ran.stdout, ran.stderr) != (7, b"", b""):
        print(f"launch {step}: {ran.returncode} {ran.stderr!r}")
os.kill(storm, signal.SIGKILL)
os.waitpid(storm, 0)
