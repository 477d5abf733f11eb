"""Two launches at once on one root: `pairs.py CONTAIN ROOT SOURCE STAYS ROUNDS SEED` prints what went wrong.

ROOT lacks /proc, /dev, /in and /file. In each round one launch lives long, and looks for its /proc, its /dev, its binds and
its tmpfs when the other has come and gone; which of them begins, and how much later the other follows, is random. STAYS is 1
for a file system on which what was made can't be marked: it is to stay, with a warning, and removed here.
"""

import os
import random
import subprocess
import sys
import time

contain, root, source, stays, rounds, seed = sys.argv[1:]
PLACES = ("proc", "dev", "in", "file", "tmp2")
LOOK = (
    "[ -e /proc/self/stat ] && [ -c /dev/null ] && [ -e /dev/pts/ptmx ] && [ -e /in/word ] && [ -s /file ] && [ -e /tmp2/mine ]"
)
LONG = f"echo mine > /tmp2/mine; echo on; while read word; do if {LOOK}; then echo there; else echo lost /*; fi; done"
words = [contain, "--chroot", root, "--bind", f"{source}:/in", "--bind", f"{source}/word:/file:ro", "--tmpfs", "/tmp2", "--"]
before = sorted(os.listdir(root))
chance = random.Random(int(seed))


def start(*program: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([*words, *program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended(which: str, running: "subprocess.Popen[bytes]") -> str:
    out, err = running.communicate()
    left = [line for line in err.decode().splitlines() if not (int(stays) and "warning: " in line and "it stays" in line)]
    if running.returncode != 0 or left or b"lost" in out:
        return f"the {which} one: status {running.returncode}, {out!r}, {left}"
    return ""


def look(running: "subprocess.Popen[bytes]") -> "list[bytes]":
    """Have it look when it runs; its two lines."""
    assert running.stdin
    assert running.stdout
    lines = [running.stdout.readline()]
    try:
        running.stdin.write(b"look\n")
        running.stdin.flush()
    except BrokenPipeError:
        return lines  # it has ended, and how will be told
    return [*lines, running.stdout.readline()]


def restore() -> "list[str]":
    """Remove what was left; answers its names."""
    left = sorted(set(os.listdir(root)) - set(before))
    for name in left:
        path = f"{root}/{name}"
        if os.path.isdir(path):
            os.rmdir(path)
        else:
            os.unlink(path)
    return left


began = time.monotonic()
ended("first", start("true"))
launch = time.monotonic() - began
restore()
for number in range(int(rounds)):
    # Mostly while the first makes its places, at times while it has them or takes them away.
    late = chance.uniform(0, 0.1 if chance.random() < 0.75 else 1.3) * launch
    short_first = chance.random() < 0.75
    short = start("true") if short_first else None
    if short:
        time.sleep(late)
    long = start("sh", "-c", LONG)
    if not short:
        time.sleep(late)
        short = start("true")
    said = [ended("short", short)]
    verdicts = look(long)
    said.append(ended("long", long))
    if verdicts != [b"on\n", b"there\n"]:
        said.append(f"the long one said {verdicts}")
    left = restore()
    if left and not (int(stays) and set(left) <= set(PLACES)):
        said.append(f"{left} stay")
    shown = f"round {number}, {'short' if short_first else 'long'} first, {late / launch:.2f} launches between: "
    for line in said:
        if line:
            print(shown + line)
