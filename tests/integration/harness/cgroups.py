"""Cgroups of a host, v1 and v2 behind one face: the one that a contained program lives in, and one that a test makes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .host import Host
from .running import Running

OF = """
for pid in $(cat /proc/"$1"/task/*/children); do
    top=/sys/fs/cgroup/$2 path=$(awk -F: -v c="$2" '$2 == c {print $3}' /proc/$pid/cgroup)
    [ -n "$path" ] || top=/sys/fs/cgroup path=$(awk -F: '$1 == 0 {print $3}' /proc/$pid/cgroup)
    case $path in */contain-[0-9]*) echo "$top$path"; exit ;; esac
done
exit 1
"""

# On v2 a group above it hands the controllers on: else systemd, which shares the root with us, may take them back.
MAKE = """
set -e
if [ -d "/sys/fs/cgroup/$1" ]; then
    mkdir "/sys/fs/cgroup/$1/$2"
    [ "$1" != cpuset ] || cat "/sys/fs/cgroup/$1/cpuset.mems" > "/sys/fs/cgroup/$1/$2/cpuset.mems"
    echo "/sys/fs/cgroup/$1/$2"; echo tasks
else
    all='+cpuset +memory +pids'
    echo $all > /sys/fs/cgroup/cgroup.subtree_control
    mkdir "/sys/fs/cgroup/$2"
    echo $all > "/sys/fs/cgroup/$2/cgroup.subtree_control"
    mkdir "/sys/fs/cgroup/$2/caller"
    echo "/sys/fs/cgroup/$2/caller"; echo cgroup.procs
fi
"""


@dataclass(frozen=True)
class Cgroup:
    """A group of the host; `door` is the file through which a process enters it."""

    host: Host
    folder: str
    door: str = ""

    def read(self, *names: str) -> str:
        """The first of these files that is there: v1 and v2 name them differently."""
        return self.host.shell('cd "$1"; shift; for f; do [ -e $f ] && exec cat $f; done; exit 1', self.folder, *names).line

    def number(self, *names: str) -> int:
        stored = self.read(*names)
        return 1 << 63 if stored == "max" else int(stored)

    def set(self, name: str, value: str) -> None:
        self.host.shell('echo "$3" > "$1/$2"', self.folder, name, value)

    @property
    def name(self) -> str:
        return Path(self.folder).name

    @property
    def path(self) -> str:
        """As `--cgroup-parent` takes it: from the top of its hierarchy."""
        return self.folder.removeprefix("/sys/fs/cgroup").removeprefix("/cpuset").removeprefix("/pids")

    @property
    def enter(self) -> str:
        """The line by which a shell of the host enters it."""
        return f"echo 0 > {self.folder}/{self.door}"


def of(running: Running, controller: str) -> Cgroup:
    """The group in which `controller` limits the contained program."""
    return Cgroup(running.host, running.host.shell(OF, str(running.pid), controller).line)


@contextmanager
def made(host: Host, controller: str) -> Iterator[Cgroup]:
    """A group of the test's own at the top, where nothing limits it, in the hierarchy that has `controller`."""
    name = f"tests-of-{Path(host.folder).suffix.removeprefix('.')}"
    folder, door = host.shell(MAKE, controller, name).lines
    try:
        yield Cgroup(host, folder, door)
    finally:
        host.end_all()
        host.run("rmdir", folder)
        if door == "cgroup.procs":
            host.run("rmdir", str(Path(folder).parent))
