"""All 256 exit statuses: `statuses.py CONTAIN ROOTFS` prints one line for each that came out as another."""

import subprocess
import sys

contain, rootfs = sys.argv[1:]
for status in range(256):
    words = [contain, "--chroot", rootfs, "--quiet", "--", "sh", "-c", f"exit {status}"]
    ran = subprocess.run(words, capture_output=True)
    if (ran.returncode, ran.stdout, ran.stderr) != (status, b"", b""):
        print(f"exit {status} became {ran}")
