"""Where the groups of a launch are made: a decision about the machine as it stands, without touching it.

The rule is that no limit which already binds the launcher is escaped. On v1 that is beneath the launcher's own group. On
v2 a group with processes can't hand out controllers, so that the place has to be looked for; see `parent_v2`.
"""

import posix

from contain.cgroup import Group, GroupV1, GroupV2, Limits
from contain.errors import ContainError, text
from contain.hierarchy import Hierarchy, holding, present, read_or_nothing
from contain.values import cpus, cpus_text

SHARED = b"/contain"
_LIMIT_FILES = (
    (b"memory", (b"memory.max", b"memory.high")), (b"cpu", (b"cpu.max",)), (b"cpuset", (b"cpuset.cpus", b"cpuset.mems")),
)  # fmt: skip


def groups(limits: Limits, parent: "bytes | None", privileged: bool) -> "list[Group]":
    """The groups that set `limits`. Raises ContainError when they can't be had; `privileged` if they are to be made now."""
    hierarchies = present()
    by_mount: dict[bytes, tuple[Hierarchy, list[bytes]]] = {}
    for controller in limits.controllers():
        hierarchy = holding(controller, hierarchies)
        by_mount.setdefault(hierarchy.mount, (hierarchy, []))[1].append(controller)
    found: list[Group] = []
    for hierarchy, controllers in by_mount.values():
        if parent is not None and not posix.access(hierarchy.path(parent), posix.F_OK):
            raise ContainError(f"--cgroup-parent {text(parent)}", f"no such group in {text(hierarchy.mount)}")
        if hierarchy.version == 1:
            group: Group = GroupV1(hierarchy, hierarchy.own if parent is None else parent, controllers, limits)
        else:
            group = place_v2(hierarchy, controllers, limits, parent)
        check(group, privileged)
        found.append(group)
    return found


def check(group: Group, privileged: bool) -> None:
    """Refuse what can be seen to fail: a missing group, a read-only file system, no accounting of swap, absent cores."""
    controllers = text(b", ".join(group.controllers))
    # A shared group need not be there yet: what must be is the top, below which it will be made.
    shared = isinstance(group, GroupV2) and group.shared and not posix.access(group.directory, posix.F_OK)
    base = group.hierarchy.mount if shared else group.directory
    if not posix.access(base + b"/cgroup.procs", posix.F_OK):
        raise ContainError(f"cgroup {controllers}", f"the launcher's own cgroup {text(group.directory)} is gone")
    if privileged and not posix.access(base, posix.W_OK):
        reason = f"the cgroup file system at {text(group.hierarchy.mount)} is read-only"
        raise ContainError(f"cgroup {controllers}", reason, "mount it read-write, or run contain outside this container")
    swap = base + b"/memory.memsw.limit_in_bytes"
    if b"memory" in group.controllers and isinstance(group, GroupV1) and not posix.access(swap, posix.F_OK):
        reason = "this kernel does not account for swap, so that a limit would not hold"
        raise ContainError("cgroup memory", reason, "boot with swapaccount=1")
    if group.limits.cores is not None and b"cpuset" in group.controllers:
        there = available_cores(group.hierarchy, base)
        absent = [core for core in group.limits.cores if core not in there]
        if absent:
            plural = "s" if len(absent) > 1 else ""
            reason = f"cpu{plural} {cpus_text(absent)} not available: there is {cpus_text(sorted(there))} here"
            raise ContainError(f"--cpu-core-ids {cpus_text(group.limits.cores)}", reason)


def available_cores(hierarchy: Hierarchy, directory: bytes) -> "set[int]":
    """The cores that a new group in `directory` may have: those of the nearest group above that has a cpuset."""
    name = b"/cpuset.effective_cpus" if hierarchy.version == 1 else b"/cpuset.cpus.effective"
    while True:
        raw = read_or_nothing(directory + name).strip() or (
            read_or_nothing(directory + b"/cpuset.cpus").strip() if hierarchy.version == 1 else b""
        )
        if raw:
            return set(cpus(raw))
        if directory == hierarchy.mount or not directory.startswith(hierarchy.mount):
            raise ContainError("cgroup cpuset", f"{text(hierarchy.mount)} names no cpus at all")
        directory = directory.rpartition(b"/")[0]


def place_v2(hierarchy: Hierarchy, controllers: "list[bytes]", limits: Limits, parent: "bytes | None") -> GroupV2:
    """Where on v2: the first of these that there is.

    1. The group the user names with --cgroup-parent.
    2. The launcher's own, if it is alone in one (a delegated scope, a service, a container): it moves to a leaf meanwhile.
    3. The nearest group above that hands out all controllers needed already.
    4. A group /contain below the real root, to which the root hands out what it did not yet. Because /contain hands it on,
       nobody can take it back while a program runs.

    From 3 on the way up may pass no limit.
    """
    if parent is not None:
        missing = [name for name in controllers if name not in handed_out(hierarchy, parent)]
        return GroupV2(hierarchy, parent, controllers, limits, [(parent, missing)] if missing else [])
    own = hierarchy.own
    procs = read_or_nothing(hierarchy.path(own) + b"/cgroup.procs").split()
    is_top = not posix.access(hierarchy.path(own) + b"/cgroup.type", posix.F_OK)
    if not is_top and procs == [b"%d" % posix.getpid()] and offered(hierarchy, own, controllers):
        leaf = hierarchy.path(own).rstrip(b"/") + b"/contain.launcher"
        return GroupV2(hierarchy, own, controllers, limits, [(own, controllers)], leaf)
    group = own
    while group != b"/":
        refuse_if_limited(hierarchy, group)
        group = group.rpartition(b"/")[0] or b"/"
        if group != b"/" and all(name in handed_out(hierarchy, group) for name in controllers):
            return GroupV2(hierarchy, group, controllers, limits, [])
    if posix.access(hierarchy.mount + b"/cgroup.type", posix.F_OK):
        reason = "no group above the launcher's hands out " + text(b", ".join(controllers))
        raise ContainError("cgroup", reason, "start contain alone in a delegated group (systemd-run --scope -p Delegate=yes)")
    enable = [(b"/", controllers), (SHARED, controllers)]
    return GroupV2(hierarchy, SHARED, controllers, limits, enable, shared=True)


def handed_out(hierarchy: Hierarchy, group: bytes) -> "list[bytes]":
    """The controllers that `group` gives to the groups below it."""
    return read_or_nothing(hierarchy.path(group).rstrip(b"/") + b"/cgroup.subtree_control").split()


def offered(hierarchy: Hierarchy, group: bytes, controllers: "list[bytes]") -> bool:
    """Whether `group` was itself given all of `controllers`."""
    have = read_or_nothing(hierarchy.path(group).rstrip(b"/") + b"/cgroup.controllers").split()
    return all(name in have for name in controllers)


def refuse_if_limited(hierarchy: Hierarchy, group: bytes) -> None:
    """Raise ContainError if `group` has a limit that a program outside it would escape."""
    directory = hierarchy.path(group)
    for controller, files in _LIMIT_FILES:
        for name in files:
            value = read_or_nothing(directory + b"/" + name).strip()
            if value and not value.startswith(b"max"):
                limit = f"{text(name)} = {text(value)}"
                reason = f"the launcher's cgroup {text(group)} has a limit ({limit}) that the program would escape"
                remedy = "start contain outside of it, alone in a group of its own, or name a place with --cgroup-parent"
                raise ContainError(f"cgroup {text(controller)}", reason, remedy)
