"""A path that changes while it is looked at: `turns.py CONTAIN ROOTFS FOLDER PLACE ROUNDS` prints each launch that got out.

`/way` of the root is a folder and a link to descriptor 9, the host's `/`, in turns.
"""

import ctypes
import os
import subprocess
import sys
import threading
from pathlib import Path

AT_FDCWD, RENAME_EXCHANGE = -100, 2  # linux/fcntl.h, linux/fs.h
contain, rootfs, folder, place, rounds = sys.argv[1:]
root, secret = Path(rootfs), Path(folder, "secret").read_text()
inside = root / "way" / folder.lstrip("/")
inside.mkdir(parents=True)
(inside / "reads").write_text("#!/bin/sh\necho inside\n")
(inside / "reads").chmod(0o755)
(root / "link").symlink_to("/proc/self/fd/9")
os.dup2(os.open("/", os.O_RDONLY | os.O_DIRECTORY), 9)
words = {
    "workdir": ["--workdir", f"/way{folder}", "--", "cat", "./secret"],
    "program": ["--tmpfs", "/tmp", "--", f"/way{folder}/reads"],
}[place]
ended = threading.Event()


def take_turns() -> None:
    """Until the launches are done."""
    libc = ctypes.CDLL(None)
    one, other = os.fsencode(root / "way"), os.fsencode(root / "link")
    while not ended.wait(0.0002):
        libc.renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE)


turning = threading.Thread(target=take_turns)
turning.start()
for _ in range(int(rounds)):
    ran = subprocess.run([contain, "--chroot", rootfs, *words], capture_output=True, text=True, pass_fds=(9,), check=False)
    if secret in ran.stdout + ran.stderr:
        print(f"status {ran.returncode}: {ran.stdout!r}")
ended.set()
turning.join()
