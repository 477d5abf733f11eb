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
                                                                          exec the exec stub
                      ◀────────────────────────── READY ─────────────────
                                                                          which execs the program
    ◀──── a failure, from either; READY and then end of file = the program runs
    relay until the program has ended
    kill init, reap all, undo
    die as the program died

After unshare(CLONE_NEWPID) every child of the launcher is born in the new pid namespace: init is the first, and the program
simply the second, the launcher's own child. What the children do and report is in child.py. Silence is never success: an end
of file without READY, or with READY and the name that the process had before it executed anything, is a failure.
"""

import posix

from contain import child, linux, program, relay, stub
from contain.errors import NOT_EXECUTABLE, ContainError, bug, say, text, unforeseen
from contain.step import Live, Plan, Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contain.terminal import Terminal


class Launch:
    """One launch of one plan. `run` returns the program's wait status."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.live = Live()
        self.steps = plan.steps()
        self.memory = next((group for group in plan.groups if b"memory" in group.controllers), None)
        self.children: list[int] = []
        self.failure: ContainError | None = None
        self.ready = False  # the exec stub has said so
        self.nonce = posix.urandom(6).hex().encode("ascii")  # what the program's process is called until the program runs
        self.cut_short = 0  # the signal that ended the launcher while it passed on the last output

    def run(self) -> int:
        """Perform the plan. Raises ContainError if the program did not run; nothing of the launch is left either way."""
        self.caller = child.Caller()
        done: list[Step] = []
        failed: ContainError | None = None
        status = 0
        try:
            for step in self.plan.host:
                done.append(step)  # before it runs: a step that fails half-way has something to take back, too
                self._do(step)
            status = self._fork_and_wait()
        except ContainError as error:
            failed = error
        except OSError as error:
            failed = unforeseen(error)
        except BaseException as error:
            failed = bug(error)
        for step in reversed(done):
            failed = self._undo(step) or failed
        if failed is not None:
            raise failed
        return status

    def _undo(self, step: Step) -> "ContainError | None":
        """Take one step back. What can't be is a warning, for what it was about is over; a bug is a bug."""
        try:
            step.undo()
        except (OSError, ContainError) as error:
            if isinstance(error, OSError) and not error.errno:
                return bug(error)
            reason = posix.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)
            say(f"warning: undo {step}: {reason}")
        except BaseException as error:
            return bug(error)
        return None

    def _do(self, step: Step) -> None:
        try:
            step.run(self.live)
        except OSError as error:
            if not error.errno:
                raise
            raise self._words(step, error.errno) from None

    def _words(self, step: Step, errno: int) -> ContainError:
        return ContainError(str(step), posix.strerror(errno), step.hint(errno))

    # -- from the first fork to the last child's end ----------------------------------------------------------------------

    def _fork_and_wait(self) -> int:
        pipes = child.Pipes()
        self.caller.look_at_terminal(self.plan.terminal is not None)
        talk: relay.Relay | None = None
        try:
            talk = self._start(pipes)
            self._talk(pipes, talk)
            if talk.ended_with_init():
                self.failure = ContainError("init", "it was killed, and the kernel killed the program with it")
        finally:
            out_of_memory = self._end_children(pipes, talk)
        if self.caller.in_foreground:
            relay.reclaim_terminal()
        if out_of_memory:
            return linux.SIGKILL
        if self.failure is not None:
            raise self.failure
        assert talk.status is not None
        return self.cut_short or talk.status

    def _start(self, pipes: child.Pipes) -> relay.Relay:
        """Give birth to both children."""
        plan, live = self.plan, self.live
        born = child.Child(plan, live, pipes)
        live.init = child.fork(plan, "fork init", False)
        if not live.init:
            born.init()
        self.children.append(live.init)
        live.init_fd = posix.pidfd_open(live.init)
        try:
            pid = child.fork(plan, "fork the program", True)
        except ContainError as error:  # ENOMEM: init has ended, and nobody can be born in its namespace any more
            raise self._first_cause(pipes, error) from None
        if not pid:
            born.program(self.caller, self.nonce)
        self.children.append(pid)
        if child.leads_group(plan, self.caller):
            try:
                posix.setpgid(pid, pid)
            except OSError:
                pass  # it has done so itself and has executed the program already
        plan.host[-1].undo()  # out of the new pid namespace: whatever the launcher forks later is not born in it
        for name in ("life_read", "ready_write", "report_write"):
            pipes.close_one(name)
        return relay.Relay(live, pid, pipes.life_write, pipes.ready_read, self.caller.shares_group, plan.terminal)

    def _talk(self, pipes: child.Pipes, talk: relay.Relay) -> None:
        """Hear the children's reports until the program runs, then relay until it has ended."""
        blame = self.memory.blame if self.memory is not None else None
        oom = blame.event_fd if blame is not None else -1
        terminal = self.plan.terminal
        early: list[bytes] = []
        running = False
        while talk.status is None:
            watched = [talk.signals] + ([] if running else [pipes.report_read]) + ([oom] if oom >= 0 else [])
            until_look = blame.patience() if blame is not None and oom >= 0 else -1
            if running and terminal is not None:
                patience = soonest(relay.RETRY if talk.late or talk.unseen else terminal.patience(), until_look)
                ready = linux.poll((*watched, *terminal.readable()), terminal.writable(), patience)
                terminal.move(ready)
            else:
                ready = linux.poll(tuple(watched), (), soonest(relay.RETRY if talk.late or talk.unseen else -1, until_look))
            if blame is not None and oom >= 0 and blame.look(oom in ready):
                talk.end_init()  # v1 kills one process of the group: see to the others
                oom = -1
            talk.send_late()
            # Signals are looked at first and acted on last: who saw the program run may send one, and we must know by then.
            for fd in sorted(ready, key=lambda fd: fd != pipes.report_read):
                if fd == pipes.report_read:
                    running = self._hear(pipes, talk)
                    if self.failure is not None:
                        return
                    if running:
                        self._now_running(talk, early)
                elif fd == talk.signals:
                    raw = posix.read(talk.signals, 128)
                    if running:
                        talk.take(raw)
                    elif relay.deadly(int.from_bytes(raw[:4], "little")):
                        talk.status = int.from_bytes(raw[:4], "little")  # it would have killed the bare program by now, too
                    else:
                        early.append(raw)

    def _now_running(self, talk: relay.Relay, early: "list[bytes]") -> None:
        for raw in early:
            talk.take(raw)
        if self.plan.terminal is None:
            relay.let_streams_go()
        talk.watch()
        if self.plan.terminal is not None and talk.status is None:
            self.plan.terminal.enter()
        for group in self.plan.groups:
            try:
                group.sweep()
            except OSError as error:
                say(f"warning: sweep {group.directory.decode('utf-8', 'backslashreplace')}: {posix.strerror(error.errno or 0)}")

    # -- reports --------------------------------------------------------------------------------------------------------

    def _hear(self, pipes: child.Pipes, talk: relay.Relay) -> bool:
        """Take all reports that are there, so that no signal sent by who saw the program run is taken for an earlier one."""
        running = False
        while not running and self.failure is None and talk.status is None and linux.poll((pipes.report_read,), (), 0):
            running = self._heard(pipes, talk)
        return running

    def _heard(self, pipes: child.Pipes, talk: relay.Relay) -> bool:
        """Take one report. True when the program runs; what is not to run is in `failure`, or ended as `talk.status` says."""
        report = posix.read(pipes.report_read, 8)
        if not report:
            return self._all_said(talk)
        number = int.from_bytes(report[:4], "little")
        if number == stub.READY:
            self.ready = True
        elif number == child.NETNS:
            try:
                for step in self.plan.link:
                    self._do(step)
                posix.write(pipes.life_write, b"G")
            except (ContainError, OSError) as error:
                self.failure = self._first_cause(pipes, error)
        else:
            self.failure = self._told(pipes, number, int.from_bytes(report[4:], "little"))
        return False

    def _told(self, pipes: child.Pipes, number: int, value: int) -> ContainError:
        """The words for a failure that a child has reported."""
        if number == child.NO_INIT:
            return ContainError("init", "it ended before the program started")
        if number == child.WORDS:
            words = posix.read(pipes.report_read, value).decode("utf-8", "backslashreplace")
            deed, reason, hint, status, *trace = words.split("\0")
            told = ContainError(deed, reason, hint, int(status))
            told.trace = tuple(trace)
            return told
        if number < len(self.steps):
            if value == linux.ESRCH and relay.ending(self.live.init):
                return ContainError("init", "it ended before the program started")
            return self._words(self.steps[number], value)
        if not self.ready:
            return ContainError("prepare the exec stub", posix.strerror(value))
        try:
            told = program.refusal(self.plan.name, value, self.plan.root_fd, self.plan.paths)
        except OSError:  # what could be looked at before can't be now: the kernel's word stands
            told = ContainError(f"exec {text(self.plan.name[:200])}", posix.strerror(value), status=NOT_EXECUTABLE)
        if value == linux.ENOMEM and self.plan.memory_limit:
            told.hint = "the memory limit is too low to execute it"
        return told

    def _first_cause(self, pipes: child.Pipes, error: "ContainError | OSError") -> ContainError:
        """What failed before `error` did: a child that has gone takes the launcher's next step with it."""
        while linux.poll((pipes.report_read,), (), 0):
            report = posix.read(pipes.report_read, 8)
            if not report:
                break
            number = int.from_bytes(report[:4], "little")
            if number not in (stub.READY, child.NETNS):
                return self._told(pipes, number, int.from_bytes(report[4:], "little"))
        if relay.ending(self.live.init):
            return ContainError("init", "it ended before the program started")
        return unforeseen(error) if isinstance(error, OSError) else error

    def _all_said(self, talk: relay.Relay) -> bool:
        """At the end of the reports: whether the program was executed. The end of its process has the same look."""
        raw = b""
        while self.ready:
            raw = relay.stat(talk.program)
            if b"(" + self.nonce + b")" not in raw:
                return True
            if relay.state(raw) in b"ZX":
                break
            linux.poll((), (), 1)  # the kernel closes the pipe a moment before it gives the process its new name
        status = posix.waitpid(talk.program, 0)[1]
        talk.gone.add(talk.program)
        if posix.WIFSIGNALED(status) and talk.has_too(posix.WTERMSIG(status)):
            talk.status = status  # sent to the whole group: it would have killed the bare program by now, too
            return False
        how = f"was killed by signal {posix.WTERMSIG(status)}" if posix.WIFSIGNALED(status) else "ended"
        self.failure = ContainError("start", f"the process that was to become the program {how} before it did")
        return False

    # -- the end ----------------------------------------------------------------------------------------------------------

    def _end_children(self, pipes: child.Pipes, talk: "relay.Relay | None") -> bool:
        """Kill what is left of the container and reap it; True if the kernel had to kill in it for want of memory."""
        left = set(self.children) - (talk.gone if talk else set())
        for pid in left:
            posix.kill(pid, linux.SIGKILL)
        while left:  # init does not end before the last of its namespace is reaped, and CLONE_PARENT makes more of them ours
            pid, status = posix.waitpid(-1, linux.WALL)
            if not posix.WIFSTOPPED(status):
                left.discard(pid)
        try:
            self._put_away(pipes, talk)
        except OSError as error:
            say(f"warning: {unforeseen(error)}")  # the program's end is known, and not changed by this
        told = self._verdict()
        if not told:
            return False
        say(f"killed: {told}")
        self.failure = None
        return True

    def _put_away(self, pipes: child.Pipes, talk: "relay.Relay | None") -> None:
        if talk is not None:
            talk.close()
        if self.live.init_fd >= 0:
            posix.close(self.live.init_fd)
        pipes.close()
        if self.plan.terminal is not None:
            self._drain(self.plan.terminal)

    def _verdict(self) -> str:
        """Whose memory ran out, if the kernel had to kill. What can't be read is a warning: the program's end is known."""
        try:
            return self.memory.blame.verdict() if self.memory is not None and self.memory.blame is not None else ""
        except OSError as error:
            say(f"warning: {unforeseen(error)}")
            return ""

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


def soonest(*patience: int) -> int:
    """The shortest of some waits for poll(2), in milliseconds; -1 is for ever."""
    return min([wait for wait in patience if wait >= 0], default=-1)


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
