"""Death by each signal: `deaths.py CONTAIN ROOTFS` prints a line for each that ended another way than the bare program.

The program sends itself the signal; those that are ignored by default end with 7, in both.
"""

import resource
import subprocess
import sys

STOPPING = (19, 20, 21, 22)

contain, rootfs = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
for number in [*range(1, 32), *range(34, 65)]:
    if number in STOPPING:
        continue
    script = f"kill -{number} $$; exit 7"
    bare = subprocess.run([f"{rootfs}/bin/busybox", "sh", "-c", script], capture_output=True)
    ran = subprocess.run([contain, "--chroot", rootfs, "--quiet", "--", "sh", "-c", script], capture_output=True)
    if (ran.returncode, ran.stdout, ran.stderr) != (bare.returncode, b"", b""):
        print(f"signal {number}: {bare.returncode} became {ran}")
