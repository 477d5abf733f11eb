"""The levers of the wall, brought inside: `levers.py CONTAIN FOLDER TABLE`: what of them can be moved there.

FOLDER is a root in which the host's Python runs once /usr is bound. All mounts are made in a mount namespace of this process
alone. For each case of the table a program inside looks through all that is mounted for files it may write, tries to raise its
own memory limit, and looks for the host's processes. Files are opened for writing, never written, but that limit.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

MOUNTED = """
sysfs proc debugfs tracefs securityfs bpf configfs efivarfs pstore binfmt_misc fusectl selinuxfs rpc_pipefs devtmpfs
resctrl devpts mqueue hugetlbfs nfsd functionfs binder
""".split()  # noqa: SIM905 - so many quoted words are hard to read
LIMIT = 67112960  # 64 MiB and a page: nobody else's
INSIDE = r"""
import os, stat, sys
KINDS = set("sysfs proc cgroup cgroup2 cpuset debugfs tracefs securityfs bpf configfs efivarfs pstore binfmt_misc fusectl "
            "selinuxfs rpc_pipefs devtmpfs resctrl devpts mqueue hugetlbfs nsfs nfsd functionfs binder".split())
limit, own_places = int(sys.argv[1]), [os.fsencode(place) for place in sys.argv[2:]]
def plain(field):
    return field.encode("utf-8", "surrogateescape").decode("unicode_escape").encode("latin-1")
mounts = {}
for line in open("/proc/self/mountinfo", errors="surrogateescape"):
    left, _, right = line.partition(" - ")
    number, parent, device, root, place = left.split()[:5]
    mounts[number] = parent, device, plain(place), right.split()[0]
def found(what, path):
    print(what, os.fsdecode(path))
def look(path):
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode):
        if stat.S_ISDIR(status.st_mode) and os.access(path, os.W_OK):
            found("writable folder", path)
        return
    if os.access(path, os.W_OK):
        found("writable", path)
    name = os.path.basename(path)
    if name in (b"release_agent", b"memory.limit_in_bytes", b"memory.max", b"cgroup.procs", b"tasks"):
        try:
            os.close(os.open(path, os.O_WRONLY))
        except OSError:
            pass
        else:
            found("opened for writing", path)
    if name in (b"memory.limit_in_bytes", b"memory.max"):
        try:
            if int(open(path).read()) != limit:
                return
            fd = os.open(path, os.O_WRONLY)
            os.write(fd, b"%d" % (2 * limit))
        except (OSError, ValueError):
            return
        found("memory limit raised", path)
def entries(top, device):
    queue = [top]
    many = 0
    while queue and many < 400:
        folder = queue.pop(0)
        try:
            names = sorted(os.listdir(folder), key=lambda name: not name.startswith(b"contain-"))
        except OSError:
            continue
        for name in names:
            many += 1
            path = folder + b"/" + name
            try:
                status = os.lstat(path)
            except OSError:
                continue
            if device(status) != mounts[number][1]:
                continue
            yield path
            if stat.S_ISDIR(status.st_mode) and (path.count(b"/") - top.count(b"/") < 3 or name.startswith(b"contain-")):
                queue.append(path)
def device(status):
    return f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}"
for number, (parent, own, place, kind) in mounts.items():
    below = parent in mounts and mounts[parent][3] == "sysfs"
    ours = place == b"/proc" or place.startswith(b"/proc/") or place == b"/dev/pts"
    if ours or place in own_places or not (kind in KINDS or below):
        continue
    try:
        if device(os.stat(place)) != own:
            continue  # something else lies over it
    except OSError:
        continue
    look(place)
    for path in entries(place, device):
        look(path)
    if kind == "proc" and os.path.isdir(place + b"/1"):
        found("processes by a foreign procfs", place)
for place in (b"/data", b"/data/file", *own_places):
    if os.path.exists(place) and not os.access(place, os.W_OK):
        found("not writable any more", place)
if open("/proc/1/comm").read() != "init\n" or os.getpid() != 2:
    found("not its own", b"/proc")
if os.path.exists("/sys/class/net/lo") and os.path.exists("/sys/kernel") and os.listdir("/sys/firmware"):
    found("not masked", b"/sys/firmware")
"""


def mount(*words: "str | Path") -> None:
    subprocess.run(["mount", *words], check=True)


# The host's own, looked up before any is bound elsewhere.
HIERARCHIES = [
    Path(words[1])
    for words in map(str.split, Path("/proc/self/mounts").read_text().splitlines())
    if words[2] in ("cgroup", "cgroup2")
]


def new(place: Path) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    return place


def every_file_system(root: Path) -> None:
    """What this kernel has, each at a place of its own."""
    made = 0
    for kind in MOUNTED:
        place = new(root / "pseudo" / kind)
        made += subprocess.run(["mount", "-t", kind, kind, place], stderr=subprocess.DEVNULL).returncode == 0
    for number, hierarchy in enumerate(HIERARCHIES):
        mount("--bind", hierarchy, new(root / f"pseudo/cgroup{number}"))
    if made < 8:
        print("only so many pseudo file systems could be mounted:", made)


def for_chroot(root: Path) -> None:
    """As people prepare one for chroot(8)."""
    for name in ("sys", "proc", "dev"):
        mount("--rbind", f"/{name}", new(root / name))


def elsewhere(root: Path) -> None:
    for name in ("sys", "proc", "dev"):
        mount("--rbind", f"/{name}", new(root / "host of mine" / name))


def stacked(root: Path) -> None:
    """One over another at one place, each order."""
    for number, kinds in enumerate((("sysfs", "bind"), ("tmpfs", "proc"), ("proc", "sysfs"), ("sysfs", "tmpfs", "proc"))):
        for kind in kinds:
            words = ["--bind", "/sys"] if kind == "bind" else ["-t", kind, kind]
            mount(*words, new(root / f"stack{number}"))
    for kind in ("sysfs", "proc", "tmpfs"):  # what lies on top is the user's
        mount("-t", kind, "proc", new(root / "data"))
    mount("-t", "sysfs", "none", new(root / "below/a"))
    mount("-t", "tmpfs", "none", root / "below")
    mount("-t", "sysfs", "none", new(root / "below/a"))  # the same name, and another mount
    mount("--bind", HIERARCHIES[0], new(root / "twice"))
    mount("--bind", HIERARCHIES[-1], new(root / "twice"))


def nested(root: Path) -> None:
    """One below another, and below a file system that is the user's own."""
    mount("-t", "tmpfs", "sysfs", new(root / "data"))  # a pseudo file system by its source's name alone
    (root / "data/file").touch()
    for number, hierarchy in enumerate(HIERARCHIES):
        mount("--bind", hierarchy, new(root / f"data/a/b/{number}"))
    mount("-t", "sysfs", "none", new(root / "data/s"))
    mount("-t", "tmpfs", "none", root / "data/s/kernel")
    mount("--bind", HIERARCHIES[0], new(root / "data/s/kernel/cgroup"))
    if Path("/sys/firmware").exists():
        mount("-t", "tmpfs", "none", root / "data/s/firmware")
        mount("--bind", HIERARCHIES[0], new(root / "data/s/firmware/cgroup"))
    mount("-t", "proc", "none", new(root / "data/p"))
    mount("-t", "sysfs", "none", root / "data/p/bus")


def parts(root: Path) -> None:
    """Folders of them."""
    for number, part in enumerate(("/proc/sys", "/proc/1", "/proc/irq", "/sys/kernel", "/sys/fs", "/sys/devices", "/dev/pts")):
        mount("--bind", part, new(root / f"part{number}"))


def files(root: Path) -> None:
    """Single files of them."""
    for hierarchy in HIERARCHIES:
        names = ("release_agent", "cgroup.procs", "tasks", "memory.limit_in_bytes", "cgroup.subtree_control")
        for name in names:
            if (hierarchy / name).exists():
                place = root / f"{hierarchy.name} {name}"
                place.touch()
                mount("--bind", hierarchy / name, place)
    for number, path in enumerate(("/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/sys/kernel/profiling")):
        if Path(path).exists():
            (root / f"file{number}").touch()
            mount("--bind", path, root / f"file{number}")


def odd_names(root: Path) -> None:
    """Places whose names mountinfo has to escape, or that are long."""
    for name in ("a b", "a\tb", "a\nb", "a\\b", "a\\040b", " - proc", "ü", "\udcff", "x" * 250 + "/" + "y" * 250):
        for part, kind in (("s", "sysfs"), ("p", "proc")):
            mount("-t", kind, "none", new(root / name / part))


PREPARED = {
    "every file system": every_file_system, "for chroot(8)": for_chroot, "elsewhere": elsewhere, "stacked": stacked,
    "nested": nested, "parts": parts, "files": files, "odd names": odd_names,
}  # fmt: skip


def spellings(folder: Path) -> "Iterator[tuple[str, list[str], str]]":
    """Names of the host's own root."""
    link, relative = folder / "link", folder / "relative"
    link.symlink_to("/")
    relative.symlink_to("../" * 9)
    above = str(folder) + "/.." * len(folder.parts)
    for name in ("/", "//", "/.", "/../", "/usr/..", "/proc/self/root", above, str(link), f"{relative}/"):
        yield name, ["--chroot", name], "/"
    yield ". in /", ["--chroot", "."], "/"
    for option, name in (("--bind", "bound"), ("--rbind", "recursive")):
        mount(option, "/", new(folder / name))
        yield name, ["--chroot", str(folder / name)], "/"


def prepared(folder: Path) -> "Iterator[tuple[str, list[str], str]]":
    for name, prepare in PREPARED.items():
        root = folder / name.replace(" ", "-")
        subprocess.run(["cp", "-a", folder / "tree", root], check=True)
        prepare(root)
        yield name, ["--chroot", str(root), "--bind", "/usr:/usr:ro"], str(folder)


def binds(folder: Path) -> "Iterator[tuple[str, list[str], str]]":
    root = folder / "tree"
    sources = ["/:/host", "/sys:/host", "/sys:/sys", "/sys/kernel:/host", "/dev:/dev/host", "/dev/pts:/host"]
    sources += [f"{hierarchy}:/host" for hierarchy in HIERARCHIES if hierarchy.name in ("memory", "unified", "cgroup")]
    sources += [f"{hierarchy}/cgroup.procs:/file" for hierarchy in HIERARCHIES[:1]]
    places = [["--bind", source] for source in sources]
    places += [["--bind", "/sys:/sys", "--bind", f"{HIERARCHIES[0]}:/sys/fs/cgroup"]]
    places += [["--bind", "/sys:/sys", "--tmpfs", "/sys/kernel"], ["--tmpfs", "/data", "--bind", "/sys:/data/sys"]]
    for words in places:
        yield " ".join(words), ["--chroot", str(root), "--bind", "/usr:/usr:ro", *words], str(folder)


def table(mounts: str) -> str:
    """The mounts, each with its own flags."""
    return "\n".join(sorted(mounts.splitlines()))


def main() -> None:
    contain, where, which = sys.argv[1:4]
    if len(sys.argv) == 4:  # again, in a namespace whose mounts end with this process
        words = ["unshare", "--mount", "--propagation", "private", sys.executable, "-IS", *sys.argv, "inside"]
        os.execvp(words[0], words)  # noqa: S606
    folder = Path(where)
    for name, options, cwd in {"spellings": spellings, "prepared": prepared, "binds": binds}[which](folder):
        before = table(Path("/proc/self/mountinfo").read_text(errors="surrogateescape"))
        own_places = [options[index + 1] for index, word in enumerate(options) if word == "--tmpfs"]
        program = ["/usr/bin/python3", "-IS", "-c", INSIDE, str(LIMIT), *own_places]
        words = [contain, "--quiet", *options, "--memory-limit", str(LIMIT), "--", *program]
        ran = subprocess.run(words, cwd=cwd, capture_output=True, errors="surrogateescape")
        said = ran.stdout.splitlines() + ran.stderr.splitlines()
        for line in said[:4]:
            print(f"{name}: {line!a} and {len(said) - 1} more")
        if ran.returncode:
            print(f"{name}: status {ran.returncode}")
        if table(Path("/proc/self/mountinfo").read_text(errors="surrogateescape")) != before:
            print(f"{name}: a mount of the host changed")


main()
