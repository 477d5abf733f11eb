"""A Plan performed: three processes, one road.

    launcher (host)                      init, PID 1                      program, PID 2
    block all signals
    plan.host, each with its undo
    fork ──────────────────────────────▶ die with the launcher
    fork (at once) ────────────────────────────────────────────────────▶ plan.before
                                         plan.namespaces                  wait for R
                      ◀──── NETNS ─────
    plan.link                            plan.root
                      ───── G ────────▶
                                         plan.inside
                                         exec the init stub ──── R ────▶ plan.program
                                         waits for end of file            signals as they were
                                                                          exec the exec stub, which execs the program
    ◀──── step, errno, from either; end of file = the program runs
    relay until the program has ended
    kill init, reap all, undo
    die as the program died

After unshare(CLONE_NEWPID) every child of the launcher is born in the new pid namespace: init is the first, and the program
simply the second, the launcher's own child. A child says two integers, the number of the step that failed and the errno;
the launcher owns the same plan and finds the words. Between pivot_root and exec no Python is imported, decoded or raised to
a traceback in the children: each of those opens files, which would be files of the root.
"""

import posix

from contain import linux, program, relay, stub
from contain.errors import FAILED, NOT_EXECUTABLE, NOT_FOUND, ContainError, say
from contain.plan import Plan
from contain.step import Live, Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contain.terminal import Terminal

NETNS, NO_INIT = 0xFFFFFFFF, 0xFFFFFFFE  # reports that name no step


class Pipes:
    """The three pipes of a launch: `life` and `ready` to and from init, `report` from both children."""

    def __init__(self) -> None:
        self.life_read, self.life_write = posix.pipe2(posix.O_CLOEXEC)
        self.ready_read, self.ready_write = posix.pipe2(posix.O_CLOEXEC)
        self.report_read, self.report_write = posix.pipe2(posix.O_CLOEXEC)

    def close(self) -> None:
        """Close all that is still open."""
        for name, fd in list(self.__dict__.items()):
            if fd >= 0:
                posix.close(fd)
                setattr(self, name, -1)

    def close_one(self, name: str) -> None:
        """Close one end."""
        posix.close(getattr(self, name))
        setattr(self, name, -1)


class Launch:
    """One launch of one plan. `run` returns the program's wait status."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.live = Live()
        self.steps = plan.steps()
        self.numbers = {id(step): number for number, step in enumerate(self.steps)}
        self.memory = next((group for group in plan.groups if b"memory" in group.controllers), None)
        self.children: list[int] = []
        self.failure: ContainError | None = None
        self.cut_short = 0  # the signal that ended the launcher while it passed on the last output

    def run(self) -> int:
        """Perform the plan. Raises ContainError if the program did not run; nothing of the launch is left either way."""
        self.mask = linux.signal_mask(linux.SIG_SETMASK, linux.ALL_SIGNALS)
        self.child_action = linux.signal_action(linux.SIGCHLD, linux.SIG_DFL)
        done: list[Step] = []
        try:
            for step in self.plan.host:
                done.append(step)  # before it runs: a step that fails half-way has something to take back, too
                self._do(step)
            return self._fork_and_wait()
        finally:
            for step in reversed(done):
                try:
                    step.undo()
                except (OSError, ContainError) as error:
                    reason = posix.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)
                    say(f"warning: undo {step}: {reason}")

    def _do(self, step: Step) -> None:
        try:
            step.run(self.live)
        except OSError as error:
            raise self._words(step, error.errno or 0) from None

    def _words(self, step: Step, errno: int) -> ContainError:
        return ContainError(str(step), posix.strerror(errno), step.hint(errno))

    # -- the launcher ---------------------------------------------------------------------------------------------------

    def _fork_and_wait(self) -> int:
        pipes = Pipes()
        shares_group = self.plan.terminal is None and relay.has_terminal()
        in_foreground = shares_group and relay.foreground()
        try:
            self.live.init = self._fork_init(pipes)
            self.live.init_fd = posix.pidfd_open(self.live.init)
            child = self._fork_program(pipes, shares_group)
            self.plan.host[-1].undo()  # out of the new pid namespace: whatever the launcher forks later is not born in it
            for name in ("life_read", "ready_write", "report_write"):
                pipes.close_one(name)
            talk = relay.Relay(self.live.init, child, pipes.life_write, pipes.ready_read, shares_group, self.plan.terminal)
            self._talk(pipes, talk)
            posix.close(talk.init_status)
            if talk.reaped:
                self.children.remove(child)  # its number may be somebody else's by now
        finally:
            out_of_memory = self._end_children(pipes)
        if in_foreground:
            relay.reclaim_terminal()
        if self.failure is not None:
            raise self.failure
        if out_of_memory:
            return linux.SIGKILL
        assert talk.status is not None
        return self.cut_short or talk.status

    def _talk(self, pipes: Pipes, talk: relay.Relay) -> None:
        """Hear the children's reports until the program runs, then relay until it has ended."""
        signals = talk.signals
        blame = self.memory.blame if self.memory is not None else None
        oom = blame.event_fd if blame is not None else -1
        terminal = self.plan.terminal
        early: list[bytes] = []
        running = False
        while talk.status is None:
            watched = [signals] + ([] if running else [pipes.report_read]) + ([oom] if oom >= 0 else [])
            until_look = blame.patience() if blame is not None and oom >= 0 else -1
            if running and terminal is not None:
                patience = soonest(relay.RETRY if talk.late else terminal.patience(), until_look)
                ready = linux.poll((*watched, *terminal.readable()), terminal.writable(), patience)
                terminal.move(ready)
            else:
                ready = linux.poll(tuple(watched), (), soonest(relay.RETRY if talk.late else -1, until_look))
            if blame is not None and oom >= 0 and blame.look(oom in ready):
                posix.kill(self.live.init, linux.SIGKILL)  # v1 kills one process of the group: see to the others
                oom = -1
            talk.send_late()
            # Signals are looked at first and acted on last: who saw the program run may send one, and we must know by then.
            for fd in sorted(ready, key=lambda fd: fd != pipes.report_read):
                if fd == pipes.report_read:
                    running = self._heard(pipes)
                    if self.failure is not None:
                        posix.close(signals)
                        return
                    if running:
                        for raw in early:
                            talk.take(raw)
                        if terminal is None:
                            relay.let_streams_go()
                        talk.watch()
                        if terminal is not None and talk.status is None:
                            terminal.enter()
                        for group in self.plan.groups:
                            group.sweep()
                elif fd == signals:
                    raw = posix.read(signals, 128)
                    if running:
                        talk.take(raw)
                    elif relay.deadly(int.from_bytes(raw[:4], "little")):
                        talk.status = int.from_bytes(raw[:4], "little")  # it would have killed the bare program by now, too
                    else:
                        early.append(raw)
        posix.close(signals)

    def _heard(self, pipes: Pipes) -> bool:
        """Take one report; True at end of file: both children have executed what they were to become."""
        report = posix.read(pipes.report_read, 8)
        if not report:
            return True
        number = int.from_bytes(report[:4], "little")
        errno = int.from_bytes(report[4:], "little")
        if number == NETNS:
            try:
                for step in self.plan.link:
                    self._do(step)
                posix.write(pipes.life_write, b"G")
            except ContainError as error:
                self.failure = error
        elif number == NO_INIT:
            self.failure = ContainError("init", "it was killed before the program started")
        elif number < len(self.steps):
            self.failure = self._words(self.steps[number], errno)
        else:
            self.failure = program.refusal(self.plan.name, errno, self.plan.root_fd, self.plan.paths)
            if errno == linux.ENOMEM and self.plan.memory_limit:
                self.failure.hint = "the memory limit is too low to execute it"
        return False

    def _end_children(self, pipes: Pipes) -> bool:
        """Kill what is left of the container and reap it; True if the kernel had to kill in it for want of memory."""
        for pid in self.children:
            try:
                posix.kill(pid, linux.SIGKILL)
            except ProcessLookupError:
                pass
        left = set(self.children)
        while left:  # init does not end before the last of its namespace is reaped, and CLONE_PARENT makes more of them ours
            try:
                left.discard(posix.waitpid(-1, 0)[0])
            except ChildProcessError:
                break
        if self.live.init_fd >= 0:
            posix.close(self.live.init_fd)
        pipes.close()
        if self.plan.terminal is not None:
            self._drain(self.plan.terminal)
        told = self.memory.blame.verdict() if self.memory is not None and self.memory.blame is not None else ""
        if not told:
            return False
        say(f"killed: {told}")
        self.failure = None
        return True

    def _drain(self, terminal: "Terminal") -> None:
        """Pass on what the program said last, however long that takes. A deadly signal ends it, as it would end the program."""
        signals = linux.signalfd(linux.ALL_SIGNALS)
        terminal.end()
        while not self.cut_short and (terminal.pass_output() or terminal.said):
            if terminal.said and signals in linux.poll((signals,), terminal.writable()):
                raw = posix.read(signals, 128)
                signal, sender = int.from_bytes(raw[:4], "little"), int.from_bytes(raw[12:16], "little")
                if relay.deadly(signal) and not terminal.keeps(signal, 0, sender):
                    self.cut_short = signal
        posix.close(signals)
        terminal.leave()

    # -- the children ---------------------------------------------------------------------------------------------------

    def _fork_init(self, pipes: Pipes) -> int:
        pid = posix.fork()
        if pid:
            self.children.append(pid)
            return pid
        at = NO_INIT
        try:
            linux.prctl(linux.PR_SET_PDEATHSIG, linux.SIGKILL)
            posix.close(pipes.life_write)
            linux.signal_action(linux.SIGCHLD, linux.SIG_IGN)
            for step in self.plan.namespaces:
                at = self.numbers[id(step)]
                step.run(self.live)
            if self.plan.link:
                posix.write(pipes.report_write, linux.u64(NETNS))
            for step in self.plan.root:
                at = self.numbers[id(step)]
                step.run(self.live)
            if self.plan.link and posix.read(pipes.life_read, 1) != b"G":
                posix._exit(FAILED)
            for step in self.plan.inside:
                at = self.numbers[id(step)]
                step.run(self.live)
            at = NO_INIT
            own = linux.memfd(b"init")
            inherited = linux.fcntl(own, linux.F_DUPFD, 3)
            linux.fill_and_seal(own, stub.init_stub(inherited))
            posix.dup2(pipes.life_read, 0)
            posix.dup2(pipes.ready_write, 1)
            linux.execveat(inherited, [b"init"], [])
        except OSError as error:
            _tell(pipes.report_write, at, error.errno or 0)
        finally:
            posix._exit(FAILED)

    def _fork_program(self, pipes: Pipes, shares_group: bool) -> int:
        new_group = not shares_group and self.plan.terminal is None  # with a terminal of its own: a new session, too
        pid = self._clone()
        if pid:
            self.children.append(pid)
            if new_group:
                try:
                    posix.setpgid(pid, pid)
                except OSError:
                    pass  # it has done so itself and has executed the program already
            return pid
        at = len(self.steps)
        try:
            posix.close(pipes.life_write)
            if new_group:
                posix.setpgid(0, 0)
            keep = self.plan.keep
            own = linux.memfd(b"exec")
            posix.fchown(own, *self.plan.user)  # whoever runs it must be able to take its execute bits away
            inherited = linux.fcntl(own, linux.F_DUPFD, keep)
            report = linux.fcntl(pipes.report_write, linux.F_DUPFD, keep)
            linux.fill_and_seal(own, stub.exec_stub(inherited, keep, report, len(self.steps), self.plan.paths))
            for step in self.plan.before:
                at = self.numbers[id(step)]
                step.run(self.live)
            if posix.read(pipes.ready_read, 1) != b"R":
                at = NO_INIT
                raise OSError
            for step in self.plan.program:
                at = self.numbers[id(step)]
                step.run(self.live)
            at = len(self.steps)
            for signal in (linux.SIGPIPE, linux.SIGXFSZ):  # Python ignores them, and ignoring survives exec
                linux.signal_action(signal, linux.SIG_DFL)
            if self.child_action == linux.SIG_IGN:
                linux.signal_action(linux.SIGCHLD, linux.SIG_IGN)
            linux.signal_mask(linux.SIG_SETMASK, self.mask)
            linux.execveat(inherited, self.plan.argv, self.plan.environment)
        except OSError as error:
            _tell(pipes.report_write, at, error.errno or 0)
        finally:
            posix._exit(FAILED)

    def _clone(self) -> int:
        """fork; on cgroup v2 straight into the group, which is 30 times faster than moving there later."""
        for group in self.plan.groups:
            if group.hierarchy.version == 2:
                return linux.clone_into_cgroup(group.fd)
        return posix.fork()


def soonest(first: int, second: int) -> int:
    """The shorter of two time limits of poll(2), of which -1 is none."""
    return max(first, second) if first < 0 or second < 0 else min(first, second)


def _tell(fd: int, number: int, errno: int) -> None:
    try:
        posix.write(fd, linux.u32(number) + linux.u32(errno))
    except OSError:
        pass


def leave(status: int) -> None:
    """End this process as the wait status `status` tells: the same exit code, or killed by the same signal. No return.

    Where the signal can't kill us (PID 1 of a container has no default actions) it is 128 + n, as shells say it.
    """
    if posix.WIFEXITED(status):
        posix._exit(posix.WEXITSTATUS(status))
    signal = posix.WTERMSIG(status)
    try:
        linux.no_core_dump()  # the program has left its own, if it may
        if signal != linux.SIGKILL:
            linux.signal_action(signal, linux.SIG_DFL)
        posix.kill(posix.getpid(), signal)
        linux.signal_mask(linux.SIG_UNBLOCK, linux.u64(1 << (signal - 1)))  # no other that waits may come first
    finally:
        posix._exit(128 + signal)


__all__ = ["NOT_EXECUTABLE", "NOT_FOUND", "Launch", "leave"]
