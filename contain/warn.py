"""Options → warnings: what a launch may do, and is perhaps not what its caller means."""

import posix

from contain import linux, network, rootfs
from contain.errors import ContainError, text, word
from contain.options import Options
from contain.step import Plan
from contain.values import Address, size_text

SMALL_MEMORY = 4 << 20


def warn(plan: Plan, options: Options, trees: "list[rootfs.CloneTree]") -> None:
    """Add the warnings about the root, the binds and the memory limit."""
    if plan.root_fd >= 0:
        _warn_of_root(plan, options)
    uid = options.user[0] if options.user is not None else posix.geteuid()
    for tree in trees if options.allow_setuid or not uid else ():
        if tree.fd >= 0 and not tree.attributes & linux.MOUNT_ATTR_RDONLY and _within_reach(tree.fd):
            what = f"{'rootfs' if tree.is_root else '--bind'} {word(tree.source)}"
            plan.warnings.append(
                f"{what}: the host's other users can run a set-user-ID file that the program leaves there, "
                "unless a folder above it is closed to them (chmod o-x)"
            )
    limit = options.memory_limit
    if limit is None:
        return
    if limit < SMALL_MEMORY:
        plan.warnings.append(f"memory limit {size_text(limit)} is below 4 MiB: only small static programs live in it")
    elif limit > posix.sysconf("SC_PHYS_PAGES") * posix.sysconf("SC_PAGE_SIZE"):
        plan.warnings.append(f"memory limit {size_text(limit)} is more than the memory of this machine")


def _within_reach(fd: int) -> bool:
    """Whether other users of the host can run what a program leaves in the directory (or file) `fd` as a set-user-ID file.

    Its own mode does not count, for the program can change it; and the host's own root is nothing that is kept apart.
    """
    path, status, top = posix.readlink(b"/proc/self/fd/%d" % fd), posix.fstat(fd), posix.stat(b"/")
    if not path.startswith(b"/") or (status.st_dev, status.st_ino) == (top.st_dev, top.st_ino):
        return False
    if posix.fstatvfs(fd).f_flag & (posix.ST_NOSUID | posix.ST_RDONLY):
        return False
    above = path.rpartition(b"/")[0]
    try:
        while above and posix.stat(above).st_mode & 0o001:
            above = above.rpartition(b"/")[0]
    except OSError:
        return False
    return not above


def _warn_of_root(plan: Plan, options: Options) -> None:
    status = posix.fstat(plan.root_fd)
    if status.st_mode & 0o002 and not status.st_mode & 0o1000:
        plan.warnings.append(f"rootfs {word(options.chroot or b'')} is writable by everybody on the host")
    elif status.st_uid not in (0, posix.geteuid()):
        plan.warnings.append(f"rootfs {word(options.chroot or b'')} is owned by user {status.st_uid}, who can change it")


def check_address(plan: Plan, address: Address, bridge: network.Bridge) -> None:
    name = text(bridge.name)
    for own in bridge.addresses:
        if own.raw == address.raw:
            raise ContainError(f"--network-address {address}", f"this is the bridge's own address: {name} has {own}")
    same_family = [own for own in bridge.addresses if own.family == address.family]
    if not bridge.up:
        plan.warnings.append(f"bridge {name} is down: nothing passes until `ip link set {name} up`")
    if address.prefix == address.bits:
        plan.warnings.append(f"{address}: a subnet of /{address.bits} has no neighbours, nothing can be reached")
    elif same_family and bridge.gateway(address) is None and not all(_link_local(own) for own in same_family):
        plan.warnings.append(f"{address} is in another subnet than bridge {name} ({same_family[0]}): the host can't be reached")


def _link_local(address: Address) -> bool:
    return address.family == linux.AF_INET6 and address.raw[0] == 0xFE and address.raw[1] & 0xC0 == 0x80
