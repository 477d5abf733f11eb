"""Options → Plan: everything a launch will do, as data, before anything is done.

Here every default is visible, and everything that can be refused is refused while nothing has been touched. The one order of
the steps is here too; the comments say what forces it.
"""

import posix

from contain import (
    inherited,
    linux,
    mountpoint,
    namespace,
    network,
    place,
    placement,
    program,
    pseudo,
    reservation,
    rootfs,
    security,
)
from contain.cgroup import Group, JoinCgroups, Limits
from contain.errors import ContainError, text, word
from contain.netlink import Socket
from contain.options import Options
from contain.step import Step
from contain.values import Address, size_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contain.terminal import Terminal

PATH = b"/bin:/usr/bin:/sbin:/usr/sbin"
DEFAULT_BRIDGE = b"docker0"
SMALL_MEMORY = 4 << 20
WARM_BELOW = 64 << 20


class Plan:
    """The steps by who does them and when, and what is executed at the end; launch.py has the picture."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.host: list[Step] = []  # the launcher, each with its undo
        self.namespaces: list[Step] = []  # init, up to the network namespace
        self.link: list[Step] = []  # the launcher, once that is there
        self.root: list[Step] = []  # init, at the same time
        self.inside: list[Step] = []  # init, when both are done
        self.before: list[Step] = []  # the program, while it waits for init
        self.program: list[Step] = []  # the program, when init is ready
        self.groups: list[Group] = []
        self.terminal: Terminal | None = None  # the program's own
        self.name = b""
        self.argv: list[bytes] = []
        self.environment: list[bytes] = []
        self.paths: tuple[bytes, ...] = ()
        self.root_fd = -1
        self.keep = 3
        self.user = (0, 0)
        self.memory_limit = 0

    def steps(self) -> "list[Step]":
        """All steps, in the order of their numbers in a child's report; the last number means the exec itself."""
        return self.host + self.namespaces + self.link + self.root + self.inside + self.before + self.program

    def number(self, step: Step) -> int:
        """The number by which a child reports that `step` failed."""
        return self.steps().index(step)


def make(options: Options, environment: "list[bytes]") -> Plan:
    """The plan for `options`. `environment` is the caller's, as NAME=VALUE bytes. Raises ContainError for what can't be."""
    plan = Plan()
    performing = not options.dry_run
    _program(plan, options)
    if options.chroot is None:
        raise ContainError("--chroot", "no rootfs is named", "contain --chroot DIR -- PROGRAM")
    if options.bridge is not None and options.network_address is None:
        raise ContainError("--bridge", "it requires --network-address, and is of no use without")
    _environment(plan, options, environment)
    if performing:
        _privileges()
    handed = inherited.look(options.cpu_core_ids, options.memory_limit, len(options.mounts), plan.paths, performing)
    plan.root_fd = rootfs.open_root(options.chroot)
    pseudo.refuse_as_root(plan.root_fd, options.chroot)
    plan.keep = 3 + options.preserve_fds
    mount_points, trees, attachments = _mounts(plan, options)
    limits = Limits(options.memory_limit, options.cpu_core_ids, options.pids_limit)
    plan.groups = placement.groups(limits, options.cgroup_parent, performing)
    plan.memory_limit = options.memory_limit or 0
    path = _find_program(plan, options, performing)
    plan.warnings += handed.warnings
    _warn(plan, options, trees)

    # -- the launcher. The address first: of all refusals left it is the likeliest.
    inside_socket = Socket()
    question = None
    if options.network_address is not None:
        socket = Socket()
        bridge = network.Bridge(options.bridge or DEFAULT_BRIDGE, socket)
        _check_address(plan, options.network_address, bridge)
        question = network.AskNeighbours(bridge, options.network_address, socket)
        veth = network.Veth(bridge, options.network_address)
        reserve = reservation.ReserveAddress(veth)
        plan.host += [reservation.LookForOwner(reserve, socket), question]
        plan.link += [veth, reserve, network.HearNeighbours(question)]
    plan.user = options.user if options.user is not None else (posix.geteuid(), posix.getegid())
    if options.tty:
        _own_terminal(plan)
    plan.host += [*mount_points, *plan.groups, namespace.UnsharePid()]

    # -- init. Trees are cloned before the mount namespace is left; sysctls are set before eth0 is born, which inherits them.
    plan.namespaces += [*trees, namespace.Unshare(), pseudo.NewProc()]
    plan.namespaces.append(network.Sysctl(b"net/ipv4/ping_group_range", b"0 2147483647"))
    if options.network_address is not None:
        plan.namespaces.append(network.Sysctl(b"net/ipv6/conf/default/accept_ra", b"0", True))
        plan.namespaces.append(network.Sysctl(b"net/ipv6/conf/default/addr_gen_mode", b"1", True))
    plan.root += [rootfs.EnterRoot(), rootfs.Dev(plan.terminal is not None), pseudo.AttachProc()]
    plan.root += [*_sealed(attachments), rootfs.PivotRoot()]  # whatever will be mounted is, and nothing was left
    if options.hostname is not None:
        plan.root.append(namespace.Hostname(options.hostname))
    last = security.last_capability()
    # What needs no eth0 is done while the launcher makes it.
    plan.root += [security.EmptyBoundingSet(last), network.Loopback(inside_socket)]
    if question is not None and options.network_address is not None:
        interface = network.Interface(inside_socket, options.network_address)
        plan.inside.append(interface)
        gateway = question.bridge.gateway(options.network_address)
        if gateway is not None:
            plan.inside.append(network.DefaultRoute(interface, gateway))
    plan.inside.append(security.NoCapabilities())

    # -- the program. Its cgroup namespace is made in its cgroups; the bounding set and the user while it still may. What
    # does not depend on init is done while it waits for it.
    if options.memory_limit is not None and options.memory_limit < WARM_BELOW and path:
        _read_ahead(plan, path)
    capabilities = security.Capabilities(options.network_address is not None, last)
    plan.before += [*handed.before, security.SessionKeyring(), capabilities]
    plan.program.append(namespace.Join(plan.root_fd))
    if plan.groups:
        plan.program.append(JoinCgroups(plan.groups))
    plan.program += [
        *handed.joined,
        namespace.UnshareCgroup(), security.OneCgroupNamespace(),
        *([] if options.allow_setuid else [security.NoNewPrivileges()]), security.User(*plan.user),
        security.LimitCapabilities(capabilities.mask), namespace.WorkingDirectory(options.workdir),
        *handed.last,
    ]  # fmt: skip
    return plan


def _own_terminal(plan: Plan) -> None:
    """--tty. Its module is loaded only now: nobody else pays for it, and nothing has been touched yet."""
    from contain import terminal

    plan.terminal = terminal.Terminal(plan.user[0])
    plan.host.append(plan.terminal)
    plan.before.append(terminal.TakeTerminal(plan.terminal))  # first of all: until then it is in the launcher's group


def _read_ahead(plan: Plan, path: bytes) -> None:
    """The program's files, under a small memory limit. Its module, too, is loaded only now.

    By the program, which has to wait for init anyway; but in a v2 group it is born, and what it reads would be charged to it.
    """
    from contain import warm

    born_in_group = any(group.hierarchy.version == 2 for group in plan.groups)
    (plan.namespaces if born_in_group else plan.before).insert(0, warm.Warm(plan.root_fd, path))


def _program(plan: Plan, options: Options) -> None:
    if not options.program:
        raise ContainError("program", "no program is named", "contain --chroot DIR -- PROGRAM [ARGUMENT …]")
    if not options.program[0]:
        raise ContainError("program", "the program's name is empty")
    plan.argv, plan.name = options.program, options.program[0]


def _environment(plan: Plan, options: Options, caller: "list[bytes]") -> None:
    """PATH and what was asked for; with --env-all the caller's, byte for byte."""
    result = list(caller) if options.env_all else [b"PATH=" + PATH]
    for variable in options.env:
        name, equals, _ = variable.partition(b"=")
        if not equals:
            found = [entry for entry in caller if entry.startswith(name + b"=")]
            if not found:
                raise ContainError(
                    f"--env {text(name)}", "the caller has no such variable", f"--env {text(name)}=VALUE sets it"
                )
            variable = found[0]
        if not (options.env_all and not equals):
            result = [entry for entry in result if entry.partition(b"=")[0] != name] + [variable]
    if options.tty and not any(entry.startswith(b"TERM=") for entry in result):  # the kind of the caller's terminal
        result += [entry for entry in caller if entry.startswith(b"TERM=")][:1]
    plan.environment = result
    search = next((entry[5:] for entry in result if entry.startswith(b"PATH=")), b"/bin:/usr/bin")
    plan.paths = program.candidates(plan.name, search, options.workdir)


def _privileges() -> None:
    if inherited.machine() != linux.MACHINE:
        raise ContainError("start", f"contain runs on {linux.MACHINE} only, this machine is {inherited.machine()}")
    missing = security.missing_capabilities()
    if missing:
        hint = "run it as root" if posix.geteuid() else "this root lacks it: is this a container?"
        raise ContainError("start", f"the capability {missing[0]} is needed", hint)


def _mounts(plan: Plan, options: Options) -> "tuple[list[mountpoint.MountPoint], list[rootfs.CloneTree], list[rootfs.Attach]]":
    """The places on the host to mount on, the trees to clone, and what init attaches where."""
    root_name = options.chroot or b""
    together = mountpoint.Together(options.quiet)
    trees = [rootfs.CloneTree(root_name, plan.root_fd, options.read_only, options.allow_setuid, is_root=True)]
    attachments: list[rootfs.Attach] = []
    for path in (b"/proc", b"/dev"):
        _mount_point(plan, together, root_name, path, True)
    there: list[tuple[bytes, rootfs.CloneTree | None]] = [
        (b"/dev", None)
    ]  # in order: a later one hides an earlier one below it
    for kind, value in options.mounts:
        destination = value if kind == "tmpfs" else value[1]
        if destination in (b"/", b"/proc", b"/dev") or destination.startswith(b"/proc/"):
            raise ContainError(f"--{kind} {text(destination)}", "this place is contain's own")
        tree, is_directory = None, True
        if kind == "bind":
            source, _, read_only = value
            fd = _open_source(source)
            pseudo.refuse_to_bind(fd, source)
            is_directory = posix.fstat(fd).st_mode & 0o170000 == 0o040000
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


def _sealed(attachments: "list[rootfs.Attach]") -> "list[Step]":
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


def _open_source(source: bytes) -> int:
    try:
        return posix.open(source, posix.O_PATH | posix.O_CLOEXEC)
    except OSError as error:
        raise ContainError(f"--bind {word(source)}", posix.strerror(error.errno or 0)) from None


def _mount_point(plan: Plan, together: mountpoint.Together, root_name: bytes, path: bytes, is_directory: bool) -> None:
    """Add the step that holds `path` in the root, and makes it if it is not there."""
    shown = f"rootfs {word(root_name)}: {text(path)}"
    passing = False
    try:
        fd = rootfs.find(plan.root_fd, path)
    except FileNotFoundError:
        if posix.statvfs(b"/proc/self/fd/%d" % plan.root_fd).f_flag & posix.ST_RDONLY:
            hint = "make it there, something will be mounted on it"
            raise ContainError(shown, "it is missing, and the file system is read-only", hint) from None
        try:
            posix.close(rootfs.find(plan.root_fd, path.rpartition(b"/")[0]))
        except OSError as error:
            raise ContainError(shown, posix.strerror(error.errno or 0)) from None
        passing = True
    except OSError as error:
        if error.errno == linux.ELOOP:
            raise ContainError(shown, "it is a symlink, or lies behind one, and is not followed") from None
        if error.errno == linux.EACCES and posix.geteuid():
            return
        raise ContainError(shown, posix.strerror(error.errno or 0)) from None
    else:
        mode = posix.fstat(fd).st_mode & 0o170000
        if mode == 0o120000:
            raise ContainError(shown, "it is a symlink, and is not followed")
        if (mode == 0o040000) != is_directory:
            raise ContainError(shown, "it must be a directory" if is_directory else "it is a directory, the source is a file")
        passing = place.marked(b"/proc/self/fd/%d" % fd)
        posix.close(fd)
    mountpoint.MountPoint(together, plan.root_fd, root_name, path, is_directory).passing = passing


def _find_program(plan: Plan, options: Options, performing: bool) -> bytes:
    """The program's path in the root; refused now if it can be seen now that it can't be executed."""
    if not performing and posix.geteuid():
        return plan.paths[0] if plan.paths else b""
    path, verdict = program.look(plan.root_fd, plan.paths)
    if verdict.status and not options.mounts:
        raise ContainError(f"exec {text(plan.name[:200])}", verdict.reason, verdict.hint, verdict.status)
    return path


def _warn(plan: Plan, options: Options, trees: "list[rootfs.CloneTree]") -> None:
    status = posix.fstat(plan.root_fd)
    if status.st_mode & 0o002 and not status.st_mode & 0o1000:
        plan.warnings.append(f"rootfs {word(options.chroot or b'')} is writable by everybody on the host")
    elif status.st_uid not in (0, posix.geteuid()):
        plan.warnings.append(f"rootfs {word(options.chroot or b'')} is owned by user {status.st_uid}, who can change it")
    uid = options.user[0] if options.user is not None else posix.geteuid()
    for tree in trees if options.allow_setuid or not uid else ():
        if not tree.attributes & linux.MOUNT_ATTR_RDONLY and _within_reach(tree.fd):
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


def _check_address(plan: Plan, address: Address, bridge: network.Bridge) -> None:
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
