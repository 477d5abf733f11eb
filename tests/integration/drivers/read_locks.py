"""A user who locks all that can be locked: `read_locks.py CONTAIN UID BRIDGE` says how many, and holds them.

Until its input ends. Open-file-description locks and flock, of whatever can be opened for reading that bears the bridge's
name, or is its network.
"""

import fcntl
import os
import struct
import sys
from pathlib import Path

F_OFD_SETLK = 37  # asm-generic/fcntl.h
WHOLE = struct.pack("hh4xqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0)  # struct flock: a read lock on all of it
PLACES = ("/proc/sys/net/ipv4/conf", "/proc/sys/net/ipv6/conf", "/proc/sys/net/ipv4/neigh", "/proc/sys/net/ipv6/neigh",
          "/sys/class/net")  # fmt: skip


_, uid, bridge = sys.argv[1:]
os.setgroups([])
os.setresgid(int(uid), int(uid), int(uid))
os.setresuid(int(uid), int(uid), int(uid))
paths = [path for place in PLACES for path in (Path(place, bridge), *sorted(Path(place, bridge).glob("*")))]
held = []
for path in [*paths, Path("/proc/self/ns/net"), Path("/proc/net/dev"), Path("/sys/class/net"), Path("/run")]:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        continue
    for lock in (
        lambda fd: fcntl.fcntl(fd, F_OFD_SETLK, WHOLE),
        lambda fd: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB),
    ):
        try:
            lock(fd)
            held.append(fd)
        except OSError:
            pass
print(f"holds {len(held)} locks", flush=True)
sys.stdin.read()
