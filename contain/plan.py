"""Options → Plan: everything a launch will do, as data, before anything is done.

Here every default is visible, and everything that can be refused is refused while nothing has been touched. The one order of
the steps is here too; the comments say what forces it.
"""

import posix

from contain import (
    inherited,
    linux,
    mounts,
    namespace,
    network,
    placement,
    program,
    pseudo,
    reservation,
    rootfs,
    security,
    warn,
)  # fmt: skip
from contain.cgroup import JoinCgroups, Limits
from contain.errors import ContainError, text
from contain.netlink import Socket
from contain.options import Options
from contain.step import Plan, Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PATH = b"/bin:/usr/bin:/sbin:/usr/sbin"
DEFAULT_BRIDGE = b"docker0"
WARM_BELOW = 64 << 20


class AbsentBridge(network.Bridge):
    """One that is still to be made, in a plan that is only told."""

    def __init__(self, name: bytes) -> None:
        self.name, self.index, self.up, self.mtu, self.addresses = name, 0, True, 1500, []


def make(options: Options, environment: "list[bytes]", mark: "Callable[[ContainError], Step] | None" = None) -> Plan:
    """The plan for `options`. `environment` is the caller's, as NAME=VALUE bytes. Raises ContainError for what can't be.

    With `mark` the plan is only to be told: what is missing on this machine is not raised, but a line of it, as `mark` has it.
    """
    plan = Plan()
    plan.mark = mark
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
    try:
        plan.root_fd = rootfs.open_root(options.chroot)
        pseudo.refuse_as_root(plan.root_fd, options.chroot)
    except ContainError as error:
        plan.go_without(error, plan.namespaces)
    plan.keep = 3 + options.preserve_fds
    mount_points, trees, attachments = mounts.mounts(plan, options)
    limits = Limits(options.memory_limit, options.cpu_core_ids, options.pids_limit)
    try:
        plan.groups = placement.groups(limits, options.cgroup_parent, performing)
    except ContainError as error:
        plan.go_without(error, plan.host)
    plan.memory_limit = options.memory_limit or 0
    at_exec: list[Step] = []
    path = _find_program(plan, options, performing, at_exec)
    plan.warnings += handed.warnings
    warn.warn(plan, options, trees)

    # -- the launcher. The address first: of all refusals left it is the likeliest.
    inside_socket = Socket()
    question = None
    if options.network_address is not None:
        socket = Socket()
        bridge = _bridge(plan, options.bridge or DEFAULT_BRIDGE, socket)
        warn.check_address(plan, options.network_address, bridge)
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
    plan.root += [*mounts.sealed(attachments), rootfs.PivotRoot()]  # whatever will be mounted is, and nothing was left
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
        security.LimitCapabilities(capabilities.mask), namespace.WorkingDirectory(options.workdir), *at_exec, *handed.last,
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


def _bridge(plan: Plan, name: bytes, socket: Socket) -> network.Bridge:
    try:
        return network.Bridge(name, socket)
    except ContainError as error:
        plan.go_without(error, plan.host)
        return AbsentBridge(name)


def _find_program(plan: Plan, options: Options, performing: bool, lines: "list[Step]") -> bytes:
    """The program's path in the root; refused now if it can be seen now that it can't be executed."""
    if plan.root_fd < 0 or (not performing and posix.geteuid()):
        return plan.paths[0] if plan.paths else b""
    path, verdict = program.look(plan.root_fd, plan.paths)
    if verdict.status and not options.mounts:
        error = ContainError(f"exec {text(plan.name[:200])}", verdict.reason, verdict.hint, verdict.status)
        plan.go_without(error, lines)
    return path
