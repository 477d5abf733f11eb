"""Levers of the host that are hidden when a program starts: `hidden_levers.py CONTAIN ROOT CASE`: what is found of them.

In ROOT (a busybox) a folder with mounts in it is hidden by what one launch mounts over the folder above it; another launch in
the same root hides nothing, and moves the folder away. All mounts are made in a mount namespace of this process alone.
"""

import os
import subprocess
import sys
from pathlib import Path

INSIDE = """
echo up; read moved
grep -q . /out/now/proc/stat && echo the procfs of the host is there
for at in /out/now/sys/kernel/profiling /out/now/group/cgroup.procs; do
    (: >>$at) 2>/dev/null && echo $at is open for writing
done
test -d /out/now/group || echo nothing was moved
"""


def main() -> None:
    contain, root, case = sys.argv[1:4]
    if len(sys.argv) == 4:
        words = ["unshare", "--mount", "--propagation", "private", sys.executable, "-IS", *sys.argv, "inside"]
        os.execvp(words[0], words)  # noqa: S606
    group = next(line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines() if " cgroup" in line)
    above = "/tree" if case == "bound" else ""  # the tree that the mounts are in, by its place in ROOT
    for kind, source in (("proc", "/proc"), ("sys", "/sys"), ("group", group)):
        place = Path(f"{root}{above}/above/folder/{kind}")
        place.mkdir(parents=True)
        subprocess.run(["mount", "--bind", source, place], check=True)
    Path(f"{root}{above}/out").mkdir()
    hides = {
        "tmpfs": ["--tmpfs", "/above"],
        "bind": ["--bind", "/usr:/above:ro"],
        "bound": ["--bind", f"{root}/tree:/tmp", "--tmpfs", "/tmp/above"],
    }[case]
    start = [contain, "--quiet", "--chroot"]
    script = INSIDE.replace("/out", "/tmp/out") if case == "bound" else INSIDE
    with subprocess.Popen(
        [*start, root, *hides, "--", "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as hidden:
        assert hidden.stdout is not None
        hidden.stdout.readline()
        subprocess.run([*start, root, "--", "mv", f"{above}/above/folder", f"{above}/out/now"], check=True)
        said, _ = hidden.communicate("moved\n")
    print(said, end="")


main()
