"""Steps that see to the pseudo file systems: the program's own procfs and sysfs, and none of the host's levers beside them.

What a pseudo file system is, its type tells, and where it is, the mount table: by no path that was named in one way or another.
A mount of it is made read-only in the program's mount namespace alone; its superblock, which is the host's, stays as it is.
"""

import posix

from contain import linux
from contain.errors import ContainError, word
from contain.hierarchy import read, unescape
from contain.linux import MOUNT_ATTR_RDONLY
from contain.rootfs import SAFE, attributes_text, find
from contain.step import Live, Step

_READ_ONLY = (b"bus", b"fs", b"irq", b"sys", b"sysrq-trigger")
_MASKED = (
    b"acpi", b"asound", b"interrupts", b"kcore", b"keys", b"latency_stats", b"sched_debug", b"scsi", b"timer_list",
    b"timer_stats",
)  # fmt: skip
# Each of these has something to set, or tells and takes what is the host's. autofs, FUSE and all that stores files are not
# among them.
LEVERS = frozenset((
    b"sysfs", b"cgroup", b"cgroup2", b"cpuset", b"resctrl", b"securityfs", b"selinuxfs", b"smackfs",
    b"apparmorfs", b"bpf", b"configfs", b"efivarfs", b"pstore", b"binfmt_misc", b"fusectl", b"fuse.lxcfs",
    b"nfsd", b"nsfs", b"pidfs", b"devtmpfs", b"devpts", b"hugetlbfs", b"functionfs", b"gadgetfs", b"usbfs", b"binder", b"xenfs",
    b"spufs", b"openpromfs", b"s390_hypfs", b"oprofilefs", b"dlmfs", b"ocfs2_dlmfs", b"ibmasmfs", b"qib_fs", b"ipathfs",
))  # fmt: skip
# Reading is too much here: /proc/PID/root leads to the host's root, who reads a message takes it away, who closes a tracer's
# `free_buffer` empties it, and a FIFO of rpc_pipefs is written to on a read-only mount, too.
SECRETS = frozenset((b"proc", b"mqueue", b"debugfs", b"tracefs", b"rpc_pipefs"))
_SYS_MASKED = (b"/firmware", b"/devices/virtual/powercap")
TMPFS = 0x01021994
_MAGIC = {  # linux/magic.h, and the file system's own source
    0x9FA0: "procfs", 0x62656572: "sysfs", 0x27E0EB: "cgroup", 0x63677270: "cgroup2", 0x64626720: "debugfs",
    0x74726163: "tracefs", 0x73636673: "securityfs", 0xF97CFF8C: "selinuxfs", 0x43415D53: "smackfs", 0xCAFE4A11: "bpf",
    0x62656570: "configfs", 0xDE5E81E4: "efivarfs", 0x6165676C: "pstore", 0x42494E4D: "binfmt_misc", 0x65735543: "fusectl",
    0x67596969: "rpc_pipefs", 0x6E667364: "nfsd", 0x6E736673: "nsfs", 0x7655821: "resctrl", 0x1CD1: "devpts",
    0x19800202: "mqueue",
}  # fmt: skip


class NewProc(Step):
    """A procfs of the new pid namespace, still detached: sysctls are written through it, by no path of the root."""

    def __str__(self) -> str:
        return "mount -t proc -o nosuid,nodev,noexec proc DETACHED"

    def run(self, live: Live) -> None:
        live.proc = linux.new_mount(b"proc", (), SAFE)


class AttachProc(Step):
    """The procfs where the program looks for it, what concerns the whole machine read-only or masked."""

    def __str__(self) -> str:
        locked, masked = b",".join(_READ_ONLY).decode(), b",".join(_MASKED).decode()
        return f"mount --move PROC /proc  # read-only: {locked}; masked: {masked}"

    def run(self, live: Live) -> None:
        target = find(live.root, b"/proc")
        linux.move_mount(live.proc, target)
        posix.close(target)
        for name in _READ_ONLY:
            read_only_part(live.proc, name)
        for name in _MASKED:
            mask_part(live.proc, name, live.dev)


def read_only_part(mount: int, name: bytes) -> None:
    """Mount `name` of the pseudo file system `mount` read-only over itself, where the kernel has it."""
    try:
        part = linux.open_tree(mount, name)
    except FileNotFoundError:
        return
    linux.mount_setattr(part, SAFE | MOUNT_ATTR_RDONLY)
    linux.move_mount(part, mount, name)
    posix.close(part)


def mask_part(mount: int, name: bytes, dev: int) -> None:
    """Hide `name` of the pseudo file system `mount`, where the kernel has it."""
    try:
        mode = posix.stat(name, dir_fd=mount, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return
    cover(mount, name, mode, dev)


def cover(directory: int, name: bytes, mode: int, dev: int) -> None:
    """Hide what has that `mode`: with an empty directory, or with the null device that we made ourselves."""
    if mode & 0o170000 == 0o040000:
        cloth = linux.new_mount(b"tmpfs", ((b"size", b"4k"), (b"mode", b"555")), SAFE | MOUNT_ATTR_RDONLY)
    else:
        cloth = linux.open_tree(dev, b"null")
    linux.move_mount(cloth, directory, name)
    posix.close(cloth)


class Mount:
    """One line of mountinfo: what is needed of it. `place` is as the kernel escapes it, and compared so."""

    def __init__(self, number: int, under: "Mount | None", line: bytes) -> None:
        left, _, right = line.partition(b" - ")
        self.device, self.root, self.place, _ = left.split(b" ", 3)
        self.number, self.under, self.kind = number, under, right.partition(b" ")[0]
        self.on_it: list[Mount] = []
        self.covered = False  # by us
        self.in_sysfs = self.kind == b"sysfs"

    def in_reach(self) -> bool:
        """Whether its path leads to it, and to nothing that lies over it."""
        mount, above = self, self.under
        if mount.covered or mount.place in [other.place for other in mount.on_it]:
            return False
        while above is not None:
            if mount.place != above.place:  # else it lies over all of it
                beside = [other.place for other in above.on_it]
                if above.covered or above.place in beside or any(mount.place.startswith(place + b"/") for place in beside):
                    return False
            mount, above = above, above.under
        return True


def mounts(mountinfo: bytes, top: int) -> "list[Mount]":
    """The mount `top` and all below it, each after the one that it is mounted on; proc_pid_mountinfo(5)."""
    lines: dict[bytes, bytes] = {}
    on: dict[bytes, list[bytes]] = {}
    for line in mountinfo.split(b"\n"):
        if line:
            number, parent, lines[number] = line.split(b" ", 2)
            on.setdefault(parent, []).append(number)
    first = b"%d" % top
    found = [Mount(top, None, lines[first])]
    names = [first]
    for name, mount in zip(names, found, strict=False):
        for other in on.get(name, ()):
            if other != first:
                mount.on_it.append(Mount(int(other), mount, lines[other]))
                names.append(other)
        found += mount.on_it
    return found


def devices_in_sysfs(mountinfo: bytes, attached: "frozenset[int] | set[int]" = frozenset()) -> "set[bytes]":
    """The devices of each tmpfs mounted within a sysfs, of the host's, too: on v1 that at /sys/fs/cgroup, wherever it is bound.

    `attached` are the numbers of mounts that the user asked for there.
    """
    on_sysfs: dict[bytes, bytes] = {}  # number: place
    held: list[tuple[bytes, bytes, bytes]] = []
    for line in mountinfo.split(b"\n"):
        left, _, right = line.partition(b" - ")
        if right.startswith((b"sysfs ", b"tmpfs ")):
            number, parent, device, _, place, _ = left.split(b" ", 5)
            if right.startswith(b"sysfs "):
                on_sysfs[number] = place
            elif int(number) not in attached:
                held.append((parent, device, place))
    return {device for parent, device, place in held if on_sysfs.get(parent, place) != place}  # not over all of it


class SealPseudo(Step):
    """No lever of the host's in the root, wherever and by whom it was mounted there, also in the trees of --bind.

    What lies below another mount can't be reached by a program that can't unmount, and is left alone. But a folder with a
    mount in it can be moved out from below, by another program in the same root: so each is sealed before it is hidden, and
    this is done again when more is bound. `fresh`: a sysfs on /sys is replaced by the program's own.
    """

    def __init__(self, fresh: bool) -> None:
        self.fresh = fresh

    def __str__(self) -> str:
        flags, sysfs = attributes_text(SAFE | MOUNT_ATTR_RDONLY), "a new sysfs over that on /sys; " if self.fresh else ""
        return (
            f"mount -o remount,bind,{flags} EACH  # sysfs, cgroup, cgroup2 and their kind, where they are mounted in the root; "
            f"{sysfs}an empty tmpfs over procfs, mqueue, debugfs and tracefs of the host"
        )

    def hint(self, errno: int) -> str:
        return "folders of the root are being moved" if errno == linux.EBUSY else ""

    def run(self, live: Live) -> None:
        own, dev = linux.mount_id(live.proc), linux.mount_id(live.dev)
        mountinfo = read(b"self/mountinfo", live.proc)
        found = mounts(mountinfo, linux.mount_id(live.root))
        devices = devices_in_sysfs(mountinfo, live.attached)
        to_mask: list[tuple[int, bytes]] = []
        for mount in found:
            under = mount.under
            number = under.number if under is not None else 0
            if own in (mount.number, number) or (mount.kind == b"devpts" and number == dev and mount.place == b"/dev/pts"):
                continue
            if under is not None and under.in_sysfs and mount.number not in live.attached:
                mount.in_sysfs = mount.in_sysfs or under.kind != b"sysfs" or mount.place != under.place
            cloth = under is not None and number in live.sealed and mount.place == under.place
            if mount.number in live.sealed or (cloth and mount.number not in live.attached):
                continue
            mount.in_sysfs = mount.in_sysfs or (mount.kind == b"tmpfs" and mount.device in devices)
            if (mount.in_sysfs or mount.kind in LEVERS or mount.kind in SECRETS) and mount.in_reach():
                to_mask += self._seal(mount, live)
                live.sealed.add(mount.number)
        for mounted, root in to_mask:  # last, for something may be mounted in what is masked
            mask_sysfs(mounted, root, live.dev)
            posix.close(mounted)

    def _seal(self, mount: Mount, live: Live) -> "list[tuple[int, bytes]]":
        """Make `mount` harmless.

        Returns the sysfs that is there now, if one is, with the directory of it that is mounted.
        """
        place = descend(live.root, unescape(mount.place))
        if linux.mount_id(place) != mount.number:
            raise OSError(linux.EBUSY, "")  # another process moved it meanwhile
        linux.mount_setattr(place, SAFE | MOUNT_ATTR_RDONLY)
        if mount.kind in SECRETS or (mount.kind == b"sysfs" and within(mount.root, _SYS_MASKED)):
            cover(place, b"", posix.fstat(place).st_mode, live.dev)
            mount.covered = True
        elif mount.kind == b"sysfs" and mount.place == b"/sys" and mount.root == b"/" and self.fresh:
            sysfs = linux.new_mount(b"sysfs", (), SAFE | MOUNT_ATTR_RDONLY)
            linux.move_mount(sysfs, place)
            mount.covered = True
            posix.close(place)
            return [(sysfs, b"/")]
        if mount.kind == b"sysfs" and not mount.covered:
            return [(place, mount.root)]
        posix.close(place)
        return []


def descend(root: int, path: bytes) -> int:
    """As `find`, for a path of any length: a program comes to the end of it step by step."""
    cut = len(path) if len(path) < 4096 else path.rindex(b"/", 0, 4096)
    here = find(root, path[:cut])
    if cut == len(path):
        return here
    try:
        return descend(here, path[cut:])
    finally:
        posix.close(here)


def within(path: bytes, tops: "tuple[bytes, ...]") -> bool:
    """Whether `path` is one of `tops` or below one."""
    return any(path == top or path.startswith(top + b"/") for top in tops)


def mask_sysfs(mount: int, root: bytes, dev: int) -> None:
    """Hide what tells of the machine in a mount of sysfs, whose top is the directory (or file) `root` of sysfs."""
    above = root.rstrip(b"/") + b"/"
    for path in _SYS_MASKED:
        if path.startswith(above):
            mask_part(mount, path[len(above) :], dev)


def kind_of(fd: int) -> str:
    """The name of the pseudo file system that `fd` lies on; empty if it lies on none."""
    return _MAGIC.get(linux.file_system_type(fd), "")


def _of_tmpfs(fd: int) -> str:
    """As `kind_of`, for the two that fstatfs(2) takes for a tmpfs: a devtmpfs, and what is mounted within a sysfs."""
    if linux.file_system_type(fd) != TMPFS:
        return ""
    mountinfo, number = read(b"/proc/self/mountinfo"), b"%d " % linux.mount_id(fd)
    line = next((line for line in mountinfo.split(b"\n") if line.startswith(number)), b"")
    left, _, right = line.partition(b" - ")
    if right.startswith(b"devtmpfs "):
        return "devtmpfs"
    return "sysfs" if left and left.split(b" ", 3)[2] in devices_in_sysfs(mountinfo) else ""


def refuse_as_root(fd: int, path: bytes) -> None:
    """A pseudo file system is no root. Raises ContainError."""
    kind = kind_of(fd) or _of_tmpfs(fd)
    if kind:
        raise ContainError(f"rootfs {word(path)}", f"it lies on a {kind} of the kernel's, where nothing can be executed")


def refuse_to_bind(fd: int, source: bytes) -> None:
    """What would be covered as soon as it is bound. Raises ContainError."""
    kind = kind_of(fd)
    if kind.encode("ascii") in SECRETS or kind == "procfs":
        hint = "the program has a /proc of its own" if kind == "procfs" else ""
        raise ContainError(f"--bind {word(source)}", f"through a {kind} of the host the program would reach the host", hint)
