"""The launcher's two children, from their birth until each becomes what it is for: init, and the program.

A child says what became of it in one report, eight bytes and sometimes words (see `Child.tell`); the launcher owns the same
plan and finds the words for a step that failed. Between pivot_root and exec nothing is imported, no codec is looked up and
no traceback is printed: each of those opens files, which would be files of the root.
"""

import posix

from contain import linux, relay, stub
from contain.errors import FAILED, ContainError, bug
from contain.step import Live, Plan, Step

# The first number of a report, where it names no step; stub.READY is one of them.
NETNS, NO_INIT, WORDS = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFC
_MOST_WORDS = 4000  # bytes: with its head a report is one write, which a pipe takes whole; PIPE_BUF of pipe(7)


class Pipes:
    """The three pipes of a launch: `life` and `ready` to and from init, `report` from both children."""

    def __init__(self) -> None:
        self.life_read = self.life_write = self.ready_read = self.ready_write = self.report_read = self.report_write = -1
        self.life_read, self.life_write = posix.pipe2(posix.O_CLOEXEC)
        self.ready_read, self.ready_write = posix.pipe2(posix.O_CLOEXEC)
        self.report_read, self.report_write = posix.pipe2(posix.O_CLOEXEC)

    def close(self) -> None:
        """Close all that is still open."""
        for name in list(self.__dict__):
            self.close_one(name)

    def close_one(self, name: str) -> None:
        """Close one end, if it is open."""
        fd = getattr(self, name)
        if fd >= 0:
            setattr(self, name, -1)
            posix.close(fd)


class Caller:
    """What of the launcher's own process the program is to have: its signal mask, and whether SIGCHLD was ignored."""

    def __init__(self) -> None:
        self.mask = linux.signal_mask(linux.SIG_SETMASK, linux.ALL_SIGNALS)
        self.ignores_children = linux.signal_action(linux.SIGCHLD, linux.SIG_DFL) == linux.SIG_IGN
        self.shares_group = self.in_foreground = False

    def look_at_terminal(self, own: bool) -> None:
        """Whether the program is in our process group, and whether that has the terminal; `own`: it has one of its own."""
        self.shares_group = not own and relay.has_terminal()
        self.in_foreground = self.shares_group and relay.foreground()


class Child:
    """One child of the launcher; `init` and `program` are what it does, and never return."""

    def __init__(self, plan: Plan, live: Live, pipes: Pipes) -> None:
        self.plan, self.live, self.pipes = plan, live, pipes
        self.numbers = {id(step): number for number, step in enumerate(plan.steps())}
        self.at = 0  # the step that is done now, by its number
        self.deed = ""  # what is done now, if it is no step

    def _perform(self, steps: "list[Step]") -> None:
        self.deed = ""
        for step in steps:
            self.at = self.numbers[id(step)]
            step.run(self.live)

    def tell(self, error: BaseException) -> None:
        """Report {step, errno}, or {WORDS, length} and an error's four fields, each but the last ended by NUL."""
        if isinstance(error, MemoryError):
            error = OSError(linux.ENOMEM, "")
        if isinstance(error, OSError) and error.errno:
            if not self.deed:
                self._say(self.at, error.errno)
                return
            error = ContainError(self.deed, posix.strerror(error.errno))
        if not isinstance(error, ContainError):
            error = bug(error)
        fields = (error.deed[:1000], error.reason[:1000], error.hint[:1000], str(error.status), *error.trace)
        self._say(WORDS, 0, "\0".join(fields).encode("utf-8", "backslashreplace")[:_MOST_WORDS])

    def _say(self, number: int, errno: int, words: bytes = b"") -> None:
        try:
            posix.write(self.pipes.report_write, linux.u32(number) + linux.u32(len(words) or errno) + words)
        except OSError:
            pass  # nobody is left to hear it

    # -- init -----------------------------------------------------------------------------------------------------------

    def init(self) -> None:
        """Make the namespaces and the root, and become the init stub."""
        try:
            self._init()
        except BaseException as error:
            self.tell(error)
        finally:
            posix._exit(FAILED)

    def _init(self) -> None:
        plan, pipes = self.plan, self.pipes
        self.deed = "prepare init"
        linux.prctl(linux.PR_SET_PDEATHSIG, linux.SIGKILL)
        pipes.close_one("life_write")
        linux.signal_action(linux.SIGCHLD, linux.SIG_IGN)
        self._perform(plan.namespaces)
        if plan.link:
            self.deed = "report the network namespace"
            posix.write(pipes.report_write, linux.u32(NETNS) + linux.u32(0))
        self._perform(plan.root)
        if plan.link:
            self.deed = "wait for the link"
            if posix.read(pipes.life_read, 1) != b"G":
                posix._exit(FAILED)  # the launcher has failed and says so, or has gone
        self._perform(plan.inside)
        self.deed = "exec the init stub"
        own = linux.memfd(b"init")
        inherited = linux.fcntl(own, linux.F_DUPFD, 3)
        linux.fill_and_seal(own, stub.init_stub(inherited))
        posix.dup2(pipes.life_read, 0)
        posix.dup2(pipes.ready_write, 1)
        linux.execveat(inherited, [b"init"], [])

    # -- the program ----------------------------------------------------------------------------------------------------

    def program(self, caller: Caller, nonce: bytes) -> None:
        """Join what init has made, and become the exec stub; `nonce` is the process's name until the program runs."""
        try:
            self._program(caller, nonce)
        except BaseException as error:
            self.tell(error)
        finally:
            posix._exit(FAILED)

    def _program(self, caller: Caller, nonce: bytes) -> None:
        plan, pipes = self.plan, self.pipes
        self.deed = "prepare the program"
        pipes.close_one("life_write")
        if leads_group(plan, caller):
            posix.setpgid(0, 0)
        inherited = self._exec_stub(nonce)
        self._perform(plan.before)
        self.deed = "wait for init"
        if posix.read(pipes.ready_read, 1) != b"R":
            self._say(NO_INIT, 0)
            posix._exit(FAILED)
        self._perform(plan.program)
        self.deed = "exec the exec stub"
        for signal in (linux.SIGPIPE, linux.SIGXFSZ):  # Python ignores them, and ignoring survives exec
            linux.signal_action(signal, linux.SIG_DFL)
        if caller.ignores_children:
            linux.signal_action(linux.SIGCHLD, linux.SIG_IGN)
        linux.signal_mask(linux.SIG_SETMASK, caller.mask)
        linux.execveat(inherited, plan.argv, plan.environment)

    def _exec_stub(self, nonce: bytes) -> int:
        """The memfd of the exec stub, on a descriptor that survives exec, beside one for its reports."""
        plan, keep = self.plan, self.plan.keep
        own = linux.memfd(b"exec")
        posix.fchown(own, *plan.user)  # whoever runs it must be able to take its execute bits away
        inherited = linux.fcntl(own, linux.F_DUPFD, keep)
        report = linux.fcntl(self.pipes.report_write, linux.F_DUPFD, keep + 1)
        linux.fill_and_seal(own, stub.exec_stub(inherited, keep, report, len(plan.steps()), nonce, plan.paths))
        return inherited


def leads_group(plan: Plan, caller: Caller) -> bool:
    """Whether the program leads a process group of its own in our session; with its own terminal it leads a session."""
    return not caller.shares_group and plan.terminal is None


def fork(plan: Plan, deed: str, in_group: bool) -> int:
    """fork(2); with `in_group`, on cgroup v2, straight into the group, which is 30 times faster than moving there later."""
    try:
        for group in plan.groups if in_group else ():
            if group.hierarchy.version == 2:
                return linux.clone_into_cgroup(group.fd)
        return posix.fork()
    except OSError as error:
        hint = "a limit of processes is reached: ulimit -u, or pids.max of a cgroup" if error.errno == linux.EAGAIN else ""
        raise ContainError(deed, posix.strerror(error.errno or 0), hint) from None
