"""Paths that lead out of a root: `paths.py CONTAIN ROOTFS FOLDER SECONDS PLACE[,PLACE…] all|some OPTIONS…`: what is wrong.

FOLDER holds a secret, and programs that tell it. For each way out a root holds a link (or a node) `/way`, and each place
names it. Nothing of the host's may be read or written; the launch works inside the root or is refused by name, and ends
within so many seconds. Descriptor 9 of the launcher is the host's `/`, as a careless caller would leave it.
"""

import os
import socket
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

contain, rootfs, folder, seconds, places, which, *options = sys.argv[1:]
outside = Path(folder)
SECRET = (outside / "secret").read_text()
up = "../" * 24

WAYS = {
    "absolute": folder,
    "dots": up + folder.lstrip("/"),
    "root of self": "/proc/self/root",
    "cwd of self": "/proc/self/cwd",
    "root of init": "/proc/1/root",
    "cwd of init": "/proc/1/cwd",
    "root of thread": "/proc/thread-self/root",
    "dots through fd": "/proc/self/fd/9/" + up,
    "file": "file",
    "FIFO": "FIFO",
    "socket": "socket",
    "character device": "character device",
    "block device": "block device",
}
for number in range(3, 21) if which == "all" else (3, 9):
    WAYS[f"fd {number} of self"] = f"/proc/self/fd/{number}"
for number in range(3, 21) if which == "all" else (9,):
    WAYS[f"fd {number} of thread"] = f"/proc/thread-self/fd/{number}"
    WAYS[f"fd {number} of init"] = f"/proc/1/fd/{number}"
    WAYS[f"fd {number} in dev"] = f"/dev/fd/{number}"

# What is asked of contain for each place; the path is tried as it is and with the outside's own path below it.
PLACES = {
    "workdir": ["--workdir", "/way"],
    "below workdir": ["--workdir", f"/way{folder}"],
    "program": ["/way"],
    "program in a folder": ["/way/reads"],
    "program below a folder": [f"/way{folder}/reads"],
    "PATH": ["--env", f"PATH=/way:/way{folder}:/way/bin", "reads"],
    "interpreter": ["/interpreted"],
    "interpreter below a folder": ["/interpreted-below"],
    "loader below a folder": ["/loaded"],
    "bind": ["--bind", f"{folder}/harmless:/way"],
    "below bind": ["--bind", f"{folder}/harmless:/way{folder}/new"],
    "tmpfs": ["--tmpfs", "/way"],
    "below tmpfs": ["--tmpfs", f"/way{folder}/new"],
    "dev": [], "proc": [], "sys": [],
}  # fmt: skip
PROBE = f"""#!/bin/sh
for top in . {up}. /way /way/{up}. /way{folder} /dev /proc /sys /sys/{up}. /dev/{up}.; do
    [ -f $top/secret ] && cat $top/secret
    [ -f $top{folder}/secret ] && cat $top{folder}/secret
    [ -d $top{folder} ] && : > $top{folder}/written
done 2>/dev/null
case $(pwd) in /*) ;; *) echo {SECRET}; esac
echo ran inside
"""


def make_way(path: Path, target: str) -> None:
    """The link, or the node where no link is meant."""
    kinds = {"FIFO": stat.S_IFIFO, "character device": stat.S_IFCHR, "block device": stat.S_IFBLK}
    if target == "file":
        path.write_text("#!/bin/sh\n")
    elif target == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            here = os.open(path.parent, os.O_PATH)
            made.bind(f"/proc/self/fd/{here}/{path.name}")
            os.close(here)
    elif target in kinds:
        os.mknod(path, kinds[target] | 0o777, os.makedev(240, 240))  # no driver has this number: an open would say ENXIO
    else:
        path.symlink_to(target)
    if target == "file" or not path.is_symlink():
        path.chmod(0o755)


def make_root(path: Path, place: str, target: str) -> None:
    """A small root with the way in it."""
    for name in {"bin", "proc", "dev", "tmp", "sys"} - {place}:
        (path / name).mkdir(parents=True)
    os.link(f"{rootfs}/bin/busybox", path / "bin/busybox")
    for name in ("sh", "cat", "pwd"):
        (path / "bin" / name).symlink_to("busybox")
    for name, content in (
        ("bin/probe", PROBE.encode()),
        ("interpreted", b"#!/way\n"),
        ("interpreted-below", f"#!/way{folder}/reads\n".encode()),
        ("loaded", Path(f"{rootfs}/loaded").read_bytes()),
    ):
        (path / name).write_bytes(content)
        (path / name).chmod(0o755)
    make_way(path / (place if place in ("dev", "proc", "sys") else "way"), target)


def listing() -> list[str]:
    """What lies outside, and what is in it."""
    return sorted(f"{path} {path.read_bytes()[:80]!r}" if path.is_file() else str(path) for path in outside.rglob("*"))


def case(place: str, way: str) -> str:
    """What is wrong with one launch; empty if nothing is."""
    root = Path(rootfs) / "cases" / f"{place} {way}".replace(" ", "-")
    make_root(root, place, WAYS[way])
    asked = PLACES[place]
    program = [] if "program" in place or "interp" in place or "loader" in place or place == "PATH" else ["/bin/probe"]
    words = [*asked[:-1], "--", asked[-1]] if not program else [*asked, "--", *program]
    command = [contain, "--chroot", str(root), *options, *words]
    try:
        ran = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, pass_fds=(9,), timeout=float(seconds),
            cwd="/", errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "it hangs"
    shown = f"status {ran.returncode}, {ran.stdout!r}, {ran.stderr!r}"
    if SECRET in ran.stdout + ran.stderr:
        return f"the host's file is read: {shown}"
    errors = [line for line in ran.stderr.splitlines() if not line.startswith("contain: ")]
    if ran.returncode in (125, 126, 127) and ran.stderr.startswith("contain: ") and not errors:
        return ""
    if ran.returncode == 0 and (ran.stdout == "ran inside\n" or not program):
        return ""
    return f"neither works nor is refused by name: {shown}"


host_root = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
os.dup2(host_root, 9)
(outside / "harmless").mkdir()
before = listing()
with ThreadPoolExecutor(2) as pool:
    table = [(place, way) for place in places.split(",") for way in WAYS]
    for (place, way), wrong in zip(table, pool.map(case, *zip(*table, strict=True)), strict=True):
        if wrong:
            print(f"{place}, {way}: {wrong}")
for line in sorted(set(listing()) ^ set(before)):
    print(f"on the host: {line}")
