"""What passes between the outside and the running program: signals to it, its stops and its end back.

The program is the launcher's own child, so that the kernel tells its exits, stops and continues. What is left is to send on
what was sent to the launcher alone. Who got a signal is known from init: it is in the launcher's process group with
everything blocked, so that what is pending there was sent to the whole group.
"""

import posix

from contain import linux
from contain.errors import say
from contain.hierarchy import read, read_or_nothing
from contain.step import Live

_HARMLESS = (linux.SIGCHLD, linux.SIGCONT, linux.SIGURG, linux.SIGWINCH)
_STOPS = (linux.SIGSTOP, linux.SIGTSTP, linux.SIGTTIN, linux.SIGTTOU)
# What the kernel sends because of a terminal, and always to a whole group. (SIGHUP it also sends to a session's leader alone.)
_OF_TERMINALS = (linux.SIGINT, linux.SIGQUIT, linux.SIGWINCH, linux.SIGTSTP, linux.SIGTTIN, linux.SIGTTOU)

_STOPPING = 1 << (linux.SIGTSTP - 1) | 1 << (linux.SIGTTIN - 1) | 1 << (linux.SIGTTOU - 1)
_QUEUED = (1 << 64) - (1 << 33)  # the real-time signals, 34 to 64
IN_FLIGHT = 20  # milliseconds in which a signal to a group has surely reached all of it
PATIENCE = 1000  # milliseconds that init has for an answer
AT_ONCE = 100  # changes of children that are looked at before anything else is
RETRY = 2  # milliseconds between two tries to send a signal on that the program's queue has no room for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contain.terminal import Terminal


class Relay:
    """The conversation with one running program; `shares_group` if it is in the launcher's process group.

    `terminal` is the program's own, if it has one: a few signals concern that and not the program.
    """

    def __init__(
        self, live: Live, program: int, ask_init: int, init_answers: int, shares_group: bool, terminal: "Terminal | None"
    ) -> None:
        self.live, self.program, self.shares_group = live, program, shares_group
        self.ask_init, self.init_answers = ask_init, init_answers
        self.terminal, self.stop_signal = terminal, 0
        self.group = posix.getpgrp()
        self.signals = linux.signalfd(linux.ALL_SIGNALS)
        self.late: list[bytes] = []  # what the program's queue had no room for, in order
        linux.halve_signal_queue()
        self.init_status = posix.open(b"/proc/%d/status" % live.init, posix.O_RDONLY | posix.O_CLOEXEC)
        self.unseen = False  # there may be more changes of children, and no signal will tell of them
        self.status: int | None = None  # the program's wait status, once it has ended
        self.gone: set[int] = set()  # children that were reaped: their numbers may be others' by now
        self.init_ended = False  # by us

    def take(self, raw: bytes) -> None:
        """Act on one struct signalfd_siginfo."""
        signal = int.from_bytes(raw[0:4], "little")
        code = int.from_bytes(raw[8:12], "little", signed=True)
        if signal == linux.SIGCHLD:
            self.watch()  # whoever sent it: the kernel merges its own with one that is pending
            if code > 0:
                return
        if signal == linux.SIGCONT:
            self.watch()  # what stopped us has ended: look at the program's stop before it is continued
        if self.status is None and not self._concerns_terminal(signal, code, raw):
            self._send_on(signal, code, raw)
        if signal == linux.SIGCONT and self.terminal is not None:
            self.terminal.enter()

    def _concerns_terminal(self, signal: int, code: int, raw: bytes) -> bool:
        """Whether a signal is dealt with here because the program has a terminal of its own."""
        if self.terminal is None:
            return False
        if signal in _STOPS and code == linux.SI_KERNEL:
            # The caller's terminal stops our job. In the program's session the kernel would take no notice of it: nobody
            # there could continue it. So it is stopped as nobody can refuse, and we as we were told.
            self.stop_signal = signal
            posix.killpg(posix.getpgid(self.program), linux.SIGSTOP)
            return True
        return self.terminal.keeps(signal, code, int.from_bytes(raw[12:16], "little"))

    def _send_on(self, signal: int, code: int, raw: bytes) -> None:
        # Asked in any case, so that init forgets it. When a key is pressed twice init may have forgotten both at the first.
        to_group = self._sent_to_group(signal) or (code == linux.SI_KERNEL and signal in _OF_TERMINALS)
        try:
            if to_group and not self.shares_group:
                posix.killpg(posix.getpgid(self.program), signal)
            elif to_group and posix.getpgid(self.program) == self.group:
                pass  # it has it from where we have it: ^C comes once
            elif code == linux.SI_QUEUE:
                self._queue(signal, raw)
            else:
                posix.kill(self.program, signal)
        except ProcessLookupError:
            pass
        except PermissionError as error:  # without CAP_KILL, and the program is another user's
            say(f"warning: send signal {signal} to the program: {posix.strerror(error.errno or 0)}")
            if deadly(signal):
                self.end_init()
        if deadly(signal) and state(stat(self.program)) in b"ZX" and not alive(self.program):
            self.end_init()  # the program has ended, but somebody inside holds on to one of its threads

    def _queue(self, signal: int, raw: bytes) -> None:
        """Send on what came by sigqueue(3), with its value, or keep it while the program's queue is full.

        Bare, its sender would be told so by EAGAIN. While something is kept no more is taken from our own queue, so that the
        sender is told when that is full; which is half of the program's, because both count as the same user's.
        """
        sender, uid = int.from_bytes(raw[12:16], "little"), int.from_bytes(raw[16:20], "little")
        try:
            if self.late and signal >= 34:
                raise BlockingIOError(linux.EAGAIN, "")
            linux.queue_signal(self.program, signal, sender, uid, int.from_bytes(raw[48:56], "little"))
        except BlockingIOError:
            if not self.late:
                linux.signalfd(linux.u64(_QUEUED ^ (1 << 64) - 1), self.signals)
            self.late.append(raw)

    def send_late(self) -> None:
        """Try again what could not be sent on, and look at what was left to be looked at."""
        if self.unseen:
            self.watch()
        if not self.late:
            return
        late, self.late = self.late, []
        linux.signalfd(linux.ALL_SIGNALS, self.signals)
        for raw in late:
            try:
                self._queue(int.from_bytes(raw[0:4], "little"), raw)
            except ProcessLookupError:
                return

    def _sent_to_group(self, signal: int) -> bool:
        """Whether init got `signal` too; what it holds is then thrown away, so that the next one is seen."""
        status = posix.pread(self.init_status, 4096, 0)
        at = status.find(b"ShdPnd:")
        held = int(status[at + 8 : at + 24], 16) if at >= 0 else 0
        if signal == linux.SIGCONT and held & _STOPPING and self._stop_comes(held & _STOPPING):
            return True  # a stop has come to the group since, and has taken init's SIGCONT away
        if not held >> (signal - 1) & 1:
            return False
        posix.write(self.ask_init, b"?")
        if linux.poll((self.init_answers,), (), PATIENCE):  # somebody may have stopped init
            posix.read(self.init_answers, 1)
        return True

    def _stop_comes(self, held: int) -> bool:
        """Whether a stop that init holds is on its way to us: the kernel tells a group's members one by one, and us after init.

        One that does not come in time is an old one, which init has held since.
        """
        for _ in range(IN_FLIGHT):
            if held & linux.pending_signals():
                return True
            linux.poll((), (), 1)
        return False

    def watch(self) -> None:
        """Take note of every change of the program: stop with it, remember how it ended.

        All children are waited for: threads of the program that made us their tracer (PTRACE_TRACEME) hold up its end until
        we let them go, and CLONE_PARENT makes more children ours. They can stop again faster than we let them go: after some
        changes others have their turn, the signals that end us among them.
        """
        self.unseen = False
        for _ in range(AT_ONCE):
            if self.status is not None:
                return
            pid, status = posix.waitpid(-1, posix.WNOHANG | posix.WUNTRACED | posix.WCONTINUED | linux.WALL)
            if not pid:
                return
            if posix.WIFCONTINUED(status):
                continue
            if not posix.WIFSTOPPED(status):
                self.gone.add(pid)
                if pid == self.program:
                    self.status = status
            elif not self._let_go(pid, posix.WSTOPSIG(status)) and pid == self.program and posix.WSTOPSIG(status) in _STOPS:
                signal, self.stop_signal = self.stop_signal or posix.WSTOPSIG(status), 0
                if self.terminal is not None:
                    self.terminal.leave()
                self._stop(signal)
                if self.terminal is not None:
                    self.terminal.enter()
        self.unseen = True

    def _let_go(self, pid: int, signal: int) -> bool:
        """Detach from a process or a thread that is stopped because we trace it, and let it have the signal it stopped for.

        Not the SIGTRAP that only tells of an exec, nor a thread's stop, which would stop them all. False: it is not traced.
        """
        thread = pid != self.program
        try:
            linux.ptrace_detach(pid, 0 if signal == linux.SIGTRAP or (thread and signal in _STOPS) else signal)
        except ProcessLookupError:
            return False
        return True

    def end_init(self) -> None:
        """Kill init, and with it the kernel kills all that is inside. The program's end is still waited for."""
        self.init_ended = True
        linux.kill_by(self.live.init_fd, linux.SIGKILL)

    def ended_with_init(self) -> bool:
        """Whether the program was killed because init was, by somebody else than us."""
        if self.init_ended or self.status is None or self.program not in self.gone or self.status != linux.SIGKILL:
            return False
        return ending(self.live.init)

    def has_too(self, signal: int) -> bool:
        """Whether a signal that a child died of comes to us as well: it was sent to the whole group."""
        for _ in range(IN_FLIGHT):
            if linux.pending_signals() >> (signal - 1) & 1:
                return True
            linux.poll((), (), 1)
        return False

    def close(self) -> None:
        """Close what this conversation has open."""
        posix.close(self.init_status)
        posix.close(self.signals)

    def _stop(self, signal: int) -> None:
        """Stop as the program stopped, so that the caller's shell sees the job stop; returns when continued."""
        # This one stays blocked, and nothing but a SIGCONT takes it away. The SIGCONT itself would be no proof that there was
        # one: the next stop takes that away in its turn, and ^Z may follow fg at once.
        mark = linux.SIGTTIN if signal == linux.SIGTTOU else linux.SIGTTOU
        posix.kill(posix.getpid(), mark)
        if signal == linux.SIGSTOP:
            posix.kill(posix.getpid(), signal)
        else:
            linux.signal_action(signal, linux.SIG_DFL)
            posix.kill(posix.getpid(), signal)
            one = linux.u64(1 << (signal - 1))
            linux.signal_mask(linux.SIG_UNBLOCK, one)
            linux.signal_mask(linux.SIG_SETMASK, linux.ALL_SIGNALS)
        if linux.pending_signals() >> (mark - 1) & 1:
            # Nobody continued us, so we did not stop: the group is orphaned, and the kernel stops nobody in it for good.
            linux.signal_action(mark, linux.signal_action(mark, linux.SIG_IGN))  # to ignore a signal is to throw it away
            posix.kill(self.program, linux.SIGCONT)


def stat(pid: int) -> bytes:
    """The line of proc_pid_stat(5); empty if the process has gone."""
    return read_or_nothing(b"/proc/%d/stat" % pid)


def ending(pid: int) -> bool:
    """Whether a process has ended, or is about to and can't do anything any more."""
    line = stat(pid)
    return not line or bool(int(line.rpartition(b")")[2].split()[6]) & linux.PF_EXITING)


def state(line: bytes) -> bytes:
    """The letter for a process's state in a line of proc_pid_stat(5); X, dead, if there is none."""
    return line.rpartition(b")")[2].split()[0] if line else b"X"


def alive(pid: int) -> bool:
    """Whether a thread of the process still runs; its first may have ended long before (pthread_exit(3))."""
    try:
        threads = posix.listdir(b"/proc/%d/task" % pid)
    except OSError:
        return False
    return any(state(read_or_nothing(b"/proc/%d/task/%s/stat" % (pid, thread))) not in b"ZX" for thread in threads)


def deadly(signal: int) -> bool:
    """Whether the default action of `signal` ends a process, and this process has not set it to be ignored; signal(7)."""
    if signal in _HARMLESS or signal in _STOPS:
        return False
    old = linux.signal_action(signal, linux.SIG_DFL)
    if old == linux.SIG_IGN:
        linux.signal_action(signal, linux.SIG_IGN)
    return old != linux.SIG_IGN or signal in (linux.SIGPIPE, linux.SIGXFSZ)


def let_streams_go() -> None:
    """Give up standard input and output, which are the program's alone from now on: who waits at their other end must see
    when it closes them. Standard error stays, for what there may be to say."""
    try:
        null = posix.open(b"/dev/null", posix.O_RDWR | posix.O_CLOEXEC)
    except OSError:
        return
    for fd in (0, 1):
        posix.dup2(null, fd, False)
    posix.close(null)


def has_terminal() -> bool:
    """Whether this process has a controlling terminal; tty(4)."""
    try:
        posix.close(posix.open(b"/dev/tty", posix.O_RDWR | posix.O_CLOEXEC | posix.O_NOCTTY))
    except OSError:
        return False
    return True


def foreground() -> bool:
    """Whether our process group is the foreground group of our terminal."""
    try:
        terminal = posix.open(b"/dev/tty", posix.O_RDWR | posix.O_CLOEXEC | posix.O_NOCTTY)
    except OSError:
        return False
    try:
        return posix.tcgetpgrp(terminal) == posix.getpgrp()
    except OSError:
        return False
    finally:
        posix.close(terminal)


def reclaim_terminal() -> None:
    """Take the terminal back from a group of the program's that is dead; from a living one it is nobody's to take."""
    try:
        terminal = posix.open(b"/dev/tty", posix.O_RDWR | posix.O_CLOEXEC | posix.O_NOCTTY)
    except OSError:
        return
    try:
        holder = posix.tcgetpgrp(terminal)
        if holder != posix.getpgrp():
            try:
                posix.killpg(holder, 0)
            except ProcessLookupError:
                posix.tcsetpgrp(terminal, posix.getpgrp())
    except OSError:
        pass
    finally:
        posix.close(terminal)


def caller_environment() -> "list[bytes]":
    """The caller's environment byte for byte. Python's own copy loses doubled names and may hold an LC_CTYPE of its making."""
    return [entry for entry in read(b"/proc/self/environ").split(b"\0") if entry]
