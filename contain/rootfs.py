"""Steps that make the root: the given directory, its own /dev, what is bound, and the old root gone. For /proc see pseudo.py.

Everything is done by descriptor: trees are cloned detached, attached to a directory opened without following a symbolic
link, and no path below the root is ever given to the kernel as a string of ours. A root file system whose /proc or /dev is
a link to a directory of the host is thus refused instead of followed (CVE-2021-30465 and its kin).
"""

import posix

from contain import linux
from contain.errors import ContainError, text, word
from contain.linux import MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY
from contain.step import Live, Step

RESOLVE = linux.RESOLVE_IN_ROOT | linux.RESOLVE_NO_SYMLINKS | linux.RESOLVE_NO_MAGICLINKS
SAFE = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC

_NODES = ((b"null", 3), (b"zero", 5), (b"full", 7), (b"random", 8), (b"urandom", 9))
_LINKS = (
    (b"/proc/self/fd", b"fd"), (b"/proc/self/fd/0", b"stdin"), (b"/proc/self/fd/1", b"stdout"),
    (b"/proc/self/fd/2", b"stderr"), (b"pts/ptmx", b"ptmx"),
)  # fmt: skip


def find(root: int, path: bytes, flags: int = posix.O_PATH) -> int:
    """A descriptor of `path` below the directory `root`, without following any symbolic link; openat2(2)."""
    return linux.openat2(root, path.lstrip(b"/") or b".", flags, RESOLVE)


def attributes_text(attributes: int) -> str:
    """MOUNT_ATTR_* as mount(8) spells them."""
    names = (
        (MOUNT_ATTR_RDONLY, "ro"),
        (MOUNT_ATTR_NOSUID, "nosuid"),
        (MOUNT_ATTR_NODEV, "nodev"),
        (MOUNT_ATTR_NOEXEC, "noexec"),
    )
    return ",".join([name for bit, name in names if attributes & bit])


class CloneTree(Step):
    """A private, detached copy of a directory of the host with all that is mounted below it; no devices, no set-user-ID."""

    def __init__(self, source: bytes, fd: int, read_only: bool, set_uid: bool = False, is_root: bool = False) -> None:
        self.source, self.fd, self.is_root = source, fd, is_root
        self.attributes = MOUNT_ATTR_NODEV | (MOUNT_ATTR_RDONLY if read_only else 0) | (0 if set_uid else MOUNT_ATTR_NOSUID)
        self.tree = -1

    def __str__(self) -> str:
        name = "NEWROOT" if self.is_root else "DETACHED"
        return f"mount --rbind --make-rprivate -o {attributes_text(self.attributes)} {word(self.source)} {name}"

    def run(self, live: Live) -> None:
        self.tree = linux.open_tree(self.fd, b"", linux.AT_EMPTY_PATH | linux.AT_RECURSIVE)
        linux.mount_setattr(self.tree, self.attributes, linux.AT_RECURSIVE, linux.MS_PRIVATE)
        if self.is_root:
            live.root = self.tree


class EnterRoot(Step):
    """Attach the new root over the old one, in a mount namespace where nothing propagates, and stand in it."""

    def __str__(self) -> str:
        return "mount --make-rprivate / && mount --move NEWROOT / && cd /"

    def run(self, live: Live) -> None:
        linux.make_all_mounts_private()
        linux.move_mount(live.root, linux.AT_FDCWD, b"/")
        posix.fchdir(live.root)
        uncover(live.root)


def uncover(root: int) -> None:
    """Take away what is mounted over the very top of the mount `root`, which is the working directory and attached.

    Its tree was cloned with all that is mounted on it. `..` of the top leads up to the last of such mounts, `.` does not.
    """
    while True:
        above = linux.openat2(root, b"..", posix.O_PATH | posix.O_DIRECTORY, RESOLVE)
        covered = linux.mount_id(above) != linux.mount_id(root)
        posix.close(above)
        if not covered:
            return
        linux.unmount_here()


class PivotRoot(Step):
    """Make the new root the root, and take the old one away: no path and no descriptor leads back.

    The program does not inherit this root, it joins the namespace, which may lead elsewhere; so init joins it, too, and looks.
    """

    def __str__(self) -> str:
        return "pivot_root . . && umount --lazy . && cd /"

    def hint(self, errno: int) -> str:
        if errno == linux.EXDEV:
            return "something is mounted over the root of this mount namespace"
        return "the root of an initramfs can't be left by pivot_root" if errno == linux.EINVAL else ""

    def run(self, live: Live) -> None:
        linux.pivot_root_here()
        linux.go_to_the_namespaces_root()
        top = posix.open(b"/", posix.O_PATH | posix.O_CLOEXEC)
        if linux.mount_id(top) != linux.mount_id(live.root):
            raise OSError(linux.EXDEV, "")
        posix.close(top)


def new_devpts() -> int:
    """A devpts instance that shares no terminal with another, still detached; 5 is the group `tty` of every distribution."""
    options = ((b"newinstance", b""), (b"ptmxmode", b"0666"), (b"mode", b"0620"), (b"gid", b"5"))
    return linux.new_mount(b"devpts", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)


class Dev(Step):
    """A /dev of its own: six devices, a devpts instance, shared memory, and the usual links; nothing of the host's.

    `made` says that the launcher has made the devpts already, and opened a terminal in it.
    """

    def __init__(self, made: bool) -> None:
        self.made = made

    def __str__(self) -> str:
        names = " ".join([name.decode() for name, _ in _NODES])
        return (
            f"mount -t tmpfs -o nosuid,noexec,mode=755,size=1m tmpfs /dev  # {names} tty; "
            f"links fd stdin stdout stderr ptmx; {'DEVPTS' if self.made else 'devpts'} on pts; tmpfs of 64m on shm"
        )

    def run(self, live: Live) -> None:
        posix.umask(0)  # of init alone: the program is no child of it
        limits = ((b"mode", b"755"), (b"size", b"1m"), (b"nr_inodes", b"256"))
        live.dev = dev = linux.new_mount(b"tmpfs", limits, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)
        for name, minor in _NODES:
            posix.mknod(name, 0o20666, posix.makedev(1, minor), dir_fd=dev)
        posix.mknod(b"tty", 0o20666, posix.makedev(5, 0), dir_fd=dev)
        for target, name in _LINKS:
            posix.symlink(target, name, dir_fd=dev)
        for name in (b"pts", b"shm"):
            posix.mkdir(name, 0o755, dir_fd=dev)
        place = find(live.root, b"/dev")
        linux.move_mount(dev, place)
        posix.close(place)
        memory = ((b"mode", b"1777"), (b"size", b"64m"))
        for name, mount in (
            (b"pts", live.devpts if self.made else new_devpts()),
            (b"shm", linux.new_mount(b"tmpfs", memory, SAFE)),
        ):
            linux.move_mount(mount, dev, name)
            posix.close(mount)


class Attach(Step):
    """Something of the user's at a place in the root: a tree bound from the host, or (`tree` None) an empty tmpfs.

    `create` says that the place lies on a tmpfs of ours, where it is made; elsewhere it is there or a MountPoint made it.
    """

    def __init__(self, tree: "CloneTree | None", is_directory: bool, destination: bytes, create: bool) -> None:
        self.tree, self.is_directory, self.destination, self.create = tree, is_directory, destination, create

    def __str__(self) -> str:
        place = word(self.destination)
        made = f"{'mkdir' if self.is_directory else 'touch'} {place} && " if self.create else ""
        if self.tree is None:
            return f"{made}mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs {place}"
        return f"{made}mount --move DETACHED {place}  # {text(self.tree.source)}"

    def hint(self, errno: int) -> str:
        return "write the path without symbolic links" if errno == linux.ELOOP else ""

    def run(self, live: Live) -> None:
        if self.create:
            above, _, name = self.destination.rpartition(b"/")
            parent = find(live.root, above)
            try:
                if self.is_directory:
                    posix.mkdir(name, 0o755, dir_fd=parent)
                else:
                    posix.close(posix.open(name, posix.O_CREAT | posix.O_EXCL | posix.O_CLOEXEC, 0o644, dir_fd=parent))
            except FileExistsError:
                pass
        target = find(live.root, self.destination)
        tmpfs = (b"mode", b"1777")
        mount = self.tree.tree if self.tree else linux.new_mount(b"tmpfs", (tmpfs,), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
        linux.move_mount(mount, target)
        live.attached.add(linux.mount_id(mount))
        posix.close(target)


def open_root(path: bytes) -> int:
    """The directory that becomes the root, as a descriptor. Raises ContainError when it is none."""
    deed = f"rootfs {word(path)}"
    if not path:
        raise ContainError("--chroot", "the rootfs is empty, name a directory")
    try:
        fd = posix.open(path, posix.O_PATH | posix.O_CLOEXEC)
    except OSError as error:
        raise ContainError(deed if len(path) < 200 else "rootfs", posix.strerror(error.errno or 0)) from None
    if posix.fstat(fd).st_mode & 0o170000 != 0o040000:
        raise ContainError(deed, posix.strerror(linux.ENOTDIR))
    return fd
