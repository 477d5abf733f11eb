"""Launch each program of `/crafted`: `crafted.py CONTAIN ROOTFS SECONDS` prints each that ends without a word or not at all."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

contain, rootfs, seconds = sys.argv[1:]


def judgement(name: str) -> str:
    """What is wrong with its launch; empty if nothing is."""
    command = [contain, "--chroot", rootfs, "--quiet", "--memory-limit", "60m", "--", f"/crafted/{name}"]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=float(seconds), check=False)
    except subprocess.TimeoutExpired:
        return "it hangs"
    if ran.stdout == "ran\n" or ran.returncode < 0:  # it ran; what it became of so many wrong numbers may crash
        return ""
    lines = ran.stderr.splitlines()
    worded = lines and lines[0].startswith("contain: exec ") and len(lines) <= 2 and "bug" not in ran.stderr
    return "" if worded and ran.returncode in (125, 126, 127) else f"status {ran.returncode}, {ran.stdout!r}, {ran.stderr!r}"


names = sorted(os.listdir(f"{rootfs}/crafted"))
with ThreadPoolExecutor(2) as pool:
    for each, wrong in zip(names, pool.map(judgement, names), strict=True):
        if wrong:
            print(f"{each}: {wrong}")
