"""Which cgroup hierarchies this machine has, and where this process is in them; cgroups(7), cgroup-v2.rst, proc(5).

Told by the mounts alone: `/proc/cgroups` also lists controllers that a kernel was built without a v1 interface for.
"""

import posix

from contain.errors import ContainError, text

_HIDDEN = "`ip netns exec` hides them, `nsenter --net=FILE` does not; else: mount -t cgroup2 none /sys/fs/cgroup"
V1_CONTROLLERS = (b"memory", b"cpuset", b"pids")


class Hierarchy:
    """One mounted hierarchy: `version` 1 or 2, its `controllers`, where it is mounted and the path of our own group in it."""

    def __init__(self, version: int, controllers: "frozenset[bytes]", mount: bytes, own: bytes) -> None:
        self.version, self.controllers, self.mount, self.own = version, controllers, mount, own

    def path(self, group: bytes) -> bytes:
        """The directory of `group`, which begins with `/`."""
        return self.mount if group == b"/" else self.mount + group


def read(path: bytes, directory: "int | None" = None) -> bytes:
    """The whole of a small file of a pseudo file system. Raises OSError."""
    fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC, dir_fd=directory)
    try:
        parts = []
        while part := posix.read(fd, 65536):
            parts.append(part)
        return b"".join(parts)
    finally:
        posix.close(fd)


def read_or_nothing(path: bytes) -> bytes:
    """As `read`, but empty where there is no such file."""
    try:
        return read(path)
    except OSError:
        return b""


def unescape(field: bytes) -> bytes:
    """A field of mountinfo as it was: the kernel writes blank, tab, newline and backslash in octal."""
    if b"\\" not in field:
        return field
    parts = field.split(b"\\")
    return parts[0] + b"".join([bytes((int(part[:3], 8),)) + part[3:] for part in parts[1:]])


def find(mountinfo: bytes, own_groups: bytes) -> "list[Hierarchy]":
    """The hierarchies in `mountinfo`, each with the group that `own_groups` (/proc/self/cgroup) names for us."""
    own: dict[bytes, bytes] = {}
    for line in own_groups.split(b"\n"):
        _, _, rest = line.partition(b":")
        controllers, colon, path = rest.partition(b":")
        if colon:
            for controller in controllers.split(b","):
                own[controller] = path
    found: list[Hierarchy] = []
    seen: set[bytes] = set()
    for line in mountinfo.split(b"\n"):
        left, dash, right = line.partition(b" - cgroup")
        if not dash:
            continue
        fields, kind = left.split(b" "), right.split(b" ")
        root, mount = unescape(fields[3]), unescape(fields[4])
        if right.startswith(b"2 "):
            version, names = 2, frozenset(read_or_nothing(mount + b"/cgroup.controllers").split())
            group = own.get(b"")
        else:
            options = kind[-1].split(b",")
            version, names = 1, frozenset([name for name in V1_CONTROLLERS if name in options])
            group = own.get(next(iter(names))) if names else None
        if group is None or fields[2] in seen or (version == 1 and not names):
            continue
        # A container sees part of a hierarchy: `root` is that part's top, and our path counts from the very top.
        if root not in (b"/", group) and not group.startswith(root + b"/"):
            continue
        seen.add(fields[2])
        below = group if root == b"/" else group[len(root) :] or b"/"
        found.append(Hierarchy(version, names, mount, below))
    return found


def present() -> "list[Hierarchy]":
    """The hierarchies of this machine. Raises ContainError where /proc can't be read."""
    try:
        return find(read(b"/proc/self/mountinfo"), read(b"/proc/self/cgroup"))
    except OSError as error:
        raise ContainError("read /proc/self/mountinfo", posix.strerror(error.errno or 0), "is /proc mounted?") from None


def holding(controller: bytes, hierarchies: "list[Hierarchy]") -> Hierarchy:
    """The hierarchy that has `controller`: v1 where it is mounted so, else v2. Raises ContainError if none has it."""
    for version in (1, 2):
        for hierarchy in hierarchies:
            if hierarchy.version == version and controller in hierarchy.controllers:
                return hierarchy
    name = text(controller)
    if not hierarchies:
        raise ContainError(f"cgroup {name}", "cgroups are not mounted here", _HIDDEN)
    remedy = {"memory": "boot with cgroup_enable=memory", "pids": "or do without it: --pids-limit max"}.get(name, "")
    raise ContainError(f"cgroup {name}", f"no mounted cgroup hierarchy has the {name} controller", remedy)
