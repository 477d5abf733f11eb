"""`--tty`: a terminal of the program's own, and what passes between it and the launcher's standard input and output.

The terminal is the first of the devpts instance that becomes /dev/pts, opened by the launcher before the devpts is mounted
anywhere: no path of the root is followed, and no descriptor has to be sent. Nothing of the caller's terminal is inside, so
that nothing can be pushed into it (TIOCSTI). Everything passes without waiting, between two looks at the signals.

Loaded for `--tty` alone, while the plan is made. Sources: tty_ioctl(4), pty(7), termios(3), drivers/tty/n_tty.c.
"""

import posix
from time import monotonic

from contain import linux
from contain.rootfs import new_devpts
from contain.step import Live, Step

_BLOCK = 4096  # what a terminal holds, and what a pipe that can be written takes without waiting
_BURST = 16  # blocks passed on between two looks at the signals
_FIRST_LOOK, _LONGEST_LOOK = 0.05, 3.0  # seconds between looks whether the end of input has to be typed again

# struct termios of asm-generic/termbits.h: four words, c_line, then c_cc
_TERMIOS, _C_CC, _VEOF, _VTIME, _VMIN = 36, 17, 4, 5, 6
_WINSIZE = 8
# What cfmakeraw(3) clears, and sets, in c_iflag, c_oflag, c_cflag and c_lflag.
_RAW = ((0o2753, 0), (0o1, 0), (0o460, 0o60), (0o100113, 0))


def raw(modes: bytes) -> bytes:
    """`modes`, a struct termios, with every byte passed as it is; cfmakeraw(3)."""
    words = [int.from_bytes(modes[4 * i : 4 * i + 4], "little") & ~clear | put for i, (clear, put) in enumerate(_RAW)]
    changed = bytearray(b"".join([linux.u32(word) for word in words]) + modes[16:])
    changed[_C_CC + _VMIN], changed[_C_CC + _VTIME] = 1, 0
    return bytes(changed)


def modes_of(fd: int) -> "bytes | None":
    """The struct termios of a terminal; None if `fd` is none."""
    try:
        return linux.ioctl_get(fd, linux.TCGETS, _TERMIOS)
    except OSError:
        return None


def size_of_caller() -> bytes:
    """The struct winsize of the first terminal among standard input, output and error; of none: nothing is known of it."""
    for fd in range(3):
        try:
            return linux.ioctl_get(fd, linux.TIOCGWINSZ, _WINSIZE)
        except OSError:
            continue
    return b"\0" * _WINSIZE


def in_foreground() -> bool:
    """Whether standard input is our controlling terminal and our process group is in its foreground."""
    try:
        return posix.tcgetpgrp(0) == posix.getpgrp()
    except OSError:
        return False


class Terminal(Step):
    """On the host: a new devpts and a terminal in it, owned by the user `uid`; then its master's side, until the end."""

    def __init__(self, uid: int) -> None:
        self.uid = uid
        self.master = self.slave = self.devpts = self.out = -1
        self.out_is_socket = False
        self.size = b""
        self.saved: bytes | None = None  # modes of the caller's terminal, while it is raw
        self.typed = self.said = b""  # taken from one side and not yet taken by the other
        self.input_ended = False
        self.pause, self.look_at = _FIRST_LOOK, 0.0

    def __str__(self) -> str:
        options = "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"
        return f"mount -t devpts -o {options} devpts DEVPTS && open DEVPTS/ptmx && chown {self.uid} DEVPTS/0"

    def hint(self, errno: int) -> str:
        return "/proc/sys/kernel/pty/max is reached" if errno == linux.ENOSPC else ""

    def run(self, live: Live) -> None:
        self.devpts = live.devpts = new_devpts()
        self.master = linux.openat2(self.devpts, b"ptmx", posix.O_RDWR | posix.O_NOCTTY | posix.O_NONBLOCK, 0)
        linux.ioctl(self.master, linux.TIOCSPTLCK, linux.u32(0))
        # The launcher keeps a descriptor of it: a terminal that nobody has open would report its hang-up without end.
        flags = posix.O_RDWR | posix.O_NOCTTY | posix.O_CLOEXEC
        self.slave = linux.ioctl(self.master, linux.TIOCGPTPEER, flags)
        posix.fchown(self.slave, self.uid, -1)
        modes = modes_of(0)
        if modes is not None and in_foreground():  # in the background they are those of the shell's own line editor
            linux.ioctl(self.slave, linux.TCSETS, modes)
        self._take_size()
        self.out_is_socket = kind_of(1) == 0o140000
        self.out = writable_without_waiting(1)

    def undo(self) -> None:
        self.leave()
        self._close("master", "slave", "devpts")
        if self.out > 1:
            self._close("out")

    def _close(self, *names: str) -> None:
        for name in names:
            if getattr(self, name) >= 0:
                posix.close(getattr(self, name))
                setattr(self, name, -1)

    # -- the caller's terminal, if standard input is one -------------------------------------------------------------------

    def enter(self) -> None:
        """Make the caller's terminal raw. In the background this stops us, like any program that changes the modes."""
        if not self.input_ended and modes_of(0) is not None:
            self._make_raw()
        self._take_size()

    def _make_raw(self) -> None:
        linux.signal_mask(linux.SIG_UNBLOCK, linux.u64(1 << (linux.SIGTTOU - 1)))
        try:
            linux.ioctl(0, linux.TCXONC, linux.TCOON)  # does nothing, but only in the foreground
            modes = linux.ioctl_get(0, linux.TCGETS, _TERMIOS)
            if self.saved is None or modes != raw(self.saved):  # a shell that had the terminal meanwhile set its own
                self.saved = modes
                linux.ioctl(0, linux.TCSETS, raw(modes))
        except OSError:
            self.input_ended = True  # it has gone, or our group is an orphan that nobody can bring to the foreground
        finally:
            linux.signal_mask(linux.SIG_SETMASK, linux.ALL_SIGNALS)

    def leave(self) -> None:
        """Give the caller's terminal its modes back, unless it is somebody else's by now."""
        modes, self.saved = self.saved, None
        if modes is None:
            return
        try:
            if posix.tcgetpgrp(0) != posix.getpgrp():
                return
        except OSError:
            pass  # not our controlling terminal: nobody else's either
        try:
            linux.ioctl(0, linux.TCSETS, modes)
        except OSError:
            pass

    def _take_size(self) -> bool:
        """Copy the window size; the kernel tells the foreground group of a change. True if there was one."""
        size = size_of_caller()
        if size == self.size or self.master < 0:
            return False
        self.size = size
        linux.ioctl(self.master, linux.TIOCSWINSZ, size)
        return True

    def keeps(self, signal: int, code: int, sender: int) -> bool:
        """Whether a signal to the launcher is no signal to the program, but was meant for this side of the terminal."""
        if signal == linux.SIGWINCH:
            return self._take_size() or code == linux.SI_KERNEL
        return signal == linux.SIGPIPE and sender == posix.getpid()  # our own write; what it means is seen there

    # -- what passes ---------------------------------------------------------------------------------------------------------

    def readable(self) -> "tuple[int, ...]":
        """The descriptors that there is room to read from."""
        source = () if self.typed or self.input_ended or self.master < 0 else (0,)
        return source if self.said or self.master < 0 else (self.master, *source)

    def writable(self) -> "tuple[int, ...]":
        """The descriptors that there is something to write to."""
        return ((self.out,) if self.said else ()) + ((self.master,) if self.typed else ())

    def patience(self) -> int:
        """For how many milliseconds there is nothing to do unless a descriptor is ready; -1: for ever."""
        if not self.input_ended or self.typed or self.master < 0:
            return -1
        return max(0, int((self.look_at - monotonic()) * 1000) + 1)

    def move(self, ready: "list[int]") -> None:
        """Pass on what can be passed without waiting."""
        if 0 in ready:
            self._type()
        if self.input_ended:
            self._type_end()
        if self.typed:
            self._write_in()
        for _ in range(_BURST):
            if not self.pass_output():
                return

    def pass_output(self) -> bool:
        """Pass one block of the program's output on; False if there is none now, or standard output takes no more now."""
        if not self.said and self.master >= 0:
            try:
                self.said = posix.read(self.master, _BLOCK)
            except OSError:
                return False  # EAGAIN: all that was written has been read. EIO: and nobody is left to write
            if not self.said:
                return False
        self._write_out()
        return not self.said and self.master >= 0

    def _type(self) -> None:
        try:
            self.typed = posix.read(0, _BLOCK)
        except BlockingIOError:
            return
        except OSError:
            pass
        self.input_ended = not self.typed

    def _type_end(self) -> None:
        """Type the end-of-file character, whenever all that was typed has been read: the end of a file is read again and again.

        A single one could be lost: the kernel makes it a NUL for a program that turns line editing off before it reads.
        """
        if self.typed or self.master < 0 or monotonic() < self.look_at:
            return
        if not linux.poll((self.slave,), (), 0):
            modes = modes_of(self.slave) or b""
            self.typed = modes[_C_CC + _VEOF : _C_CC + _VEOF + 1].strip(b"\0")  # NUL: the terminal has none
        self.look_at = monotonic() + self.pause
        self.pause = min(2 * self.pause, _LONGEST_LOOK)

    def _write_in(self) -> None:
        try:
            self.typed = self.typed[posix.write(self.master, self.typed) :]
        except BlockingIOError:
            pass

    def _write_out(self) -> None:
        if not self.said:
            return
        try:
            write = linux.send_at_once if self.out_is_socket else posix.write
            self.said = self.said[write(self.out, self.said) :]
        except BlockingIOError:
            pass
        except OSError:
            self.said = self.typed = b""
            self._close("slave", "master")  # the program's terminal has gone: it gets SIGHUP

    def end(self) -> None:
        """The program is dead: what it has said may still be passed on, nothing is typed any more."""
        self.typed, self.input_ended = b"", True
        self._close("slave")


class TakeTerminal(Step):
    """In the program: a session of its own, with that terminal as its controlling one and its standard streams."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def __str__(self) -> str:
        return "setsid --ctty sh -c 'exec …' <>/dev/pts/0 >&0 2>&0"

    def run(self, live: Live) -> None:
        posix.setsid()
        linux.ioctl(self.terminal.slave, linux.TIOCSCTTY)
        for fd in range(3):
            posix.dup2(self.terminal.slave, fd)


def kind_of(fd: int) -> int:
    """The kind of file that `fd` is: the S_IFMT bits of its mode, inode(7)."""
    return posix.fstat(fd).st_mode & 0o170000


def writable_without_waiting(fd: int) -> int:
    """A descriptor of the same pipe or terminal that does not wait when it is full; where there can be none, `fd` itself.

    O_NONBLOCK on `fd` itself would be seen by everybody who shares it.
    """
    if kind_of(fd) in (0o010000, 0o020000):
        flags = posix.O_WRONLY | posix.O_NONBLOCK | posix.O_NOCTTY | posix.O_CLOEXEC
        try:
            return posix.open(b"/proc/self/fd/%d" % fd, flags)
        except OSError:
            pass
    return fd
