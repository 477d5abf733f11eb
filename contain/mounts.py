"""Options → what is mounted where: the places of the root that are mounted on, the trees that are cloned, what goes where."""

import posix

from contain import linux, mountpoint, place, pseudo, rootfs
from contain.errors import ContainError, text, word
from contain.options import Options
from contain.step import Plan, Step


def mounts(plan: Plan, options: Options) -> "tuple[list[mountpoint.MountPoint], list[rootfs.CloneTree], list[rootfs.Attach]]":
    """The places on the host to mount on, the trees to clone, and what init attaches where."""
    root_name = options.chroot or b""
    together = mountpoint.Together(options.quiet)
    trees = [rootfs.CloneTree(root_name, plan.root_fd, options.read_only, options.allow_setuid, is_root=True)]
    attachments: list[rootfs.Attach] = []
    for path in (b"/proc", b"/dev"):
        _mount_point(plan, together, root_name, path, True)
    # Places and what is there, in order: a later one hides an earlier one below it.
    there: list[tuple[bytes, rootfs.CloneTree | None]] = [(b"/dev", None)]
    for kind, value in options.mounts:
        destination = value if kind == "tmpfs" else value[1]
        if destination in (b"/", b"/proc", b"/dev") or destination.startswith(b"/proc/"):
            raise ContainError(f"--{kind} {text(destination)}", "this place is contain's own")
        tree, is_directory = None, True
        if kind == "bind":
            source, _, read_only = value
            fd = _open_source(plan, source)
            if fd >= 0:
                pseudo.refuse_to_bind(fd, source)
            is_directory = fd < 0 or posix.fstat(fd).st_mode & 0o170000 == 0o040000
            tree = rootfs.CloneTree(source, fd, read_only, options.allow_setuid)
            trees.append(tree)
        nearest, below = next((cover for cover in reversed(there) if destination.startswith(cover[0] + b"/")), (b"", None))
        if not nearest:
            _mount_point(plan, together, root_name, destination, is_directory)
        elif below is not None:  # a place in the tree that is bound, which may be another launch's root
            mountpoint.MountPoint(together, below.fd, below.source, destination[len(nearest) :], is_directory, make=False)
        attachments.append(rootfs.Attach(tree, is_directory, destination, bool(nearest) and below is None))
        there.append((destination, tree))
    return together.points, trees, attachments


def _open_source(plan: Plan, source: bytes) -> int:
    try:
        return posix.open(source, posix.O_PATH | posix.O_CLOEXEC)
    except OSError as error:
        plan.go_without(ContainError(f"--bind {word(source)}", posix.strerror(error.errno or 0)), plan.namespaces)
        return -1


def _mount_point(plan: Plan, together: mountpoint.Together, root_name: bytes, path: bytes, is_directory: bool) -> None:
    """Add the step that holds `path` in the root, and makes it if it is not there."""
    try:
        passing = plan.root_fd < 0 or _passes(plan.root_fd, root_name, path, is_directory)
    except ContainError as error:
        plan.go_without(error, plan.host)
        return
    if passing is not None:
        mountpoint.MountPoint(together, plan.root_fd, root_name, path, is_directory).passing = passing


def _passes(root: int, root_name: bytes, path: bytes, is_directory: bool) -> "bool | None":
    """Whether `path` goes at the end, as it is missing in the root or bears the mark; None if it can't be looked at."""
    shown = f"rootfs {word(root_name)}: {text(path)}"
    try:
        fd = rootfs.find(root, path)
    except FileNotFoundError:
        if posix.statvfs(b"/proc/self/fd/%d" % root).f_flag & posix.ST_RDONLY:
            hint = "make it there, something will be mounted on it"
            raise ContainError(shown, "it is missing, and the file system is read-only", hint) from None
        try:
            posix.close(rootfs.find(root, path.rpartition(b"/")[0]))
        except OSError as error:
            raise ContainError(shown, posix.strerror(error.errno or 0)) from None
        return True
    except OSError as error:
        if error.errno == linux.ELOOP:
            raise ContainError(shown, "it is a symlink, or lies behind one, and is not followed") from None
        if error.errno == linux.EACCES and posix.geteuid():
            return None
        raise ContainError(shown, posix.strerror(error.errno or 0)) from None
    mode = posix.fstat(fd).st_mode & 0o170000
    if mode == 0o120000:
        raise ContainError(shown, "it is a symlink, and is not followed")
    if (mode == 0o040000) != is_directory:
        raise ContainError(shown, "it must be a directory" if is_directory else "it is a directory, the source is a file")
    passing = place.marked(b"/proc/self/fd/%d" % fd)
    posix.close(fd)
    return passing


def sealed(attachments: "list[rootfs.Attach]") -> "list[Step]":
    """What is attached, with the levers of the host sealed before something could hide them, and when all is there."""
    seal = pseudo.SealPseudo(not any(attach.destination.startswith(b"/sys/") for attach in attachments))
    steps: list[Step] = []
    unsealed = [b""]  # trees, by where they are in the root
    for attach in attachments:
        if any(attach.destination.startswith(above + b"/") for above in unsealed):
            steps.append(seal)
            unsealed.clear()
        steps.append(attach)
        if attach.tree is not None:
            unsealed.append(attach.destination)
    return [*steps, seal] if unsealed else steps
