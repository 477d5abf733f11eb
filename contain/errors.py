"""What contain says when it can't: one error class, the exit statuses, one line of words each.

Statuses follow coreutils' `timeout`, `env` and `nohup`: 125 the launcher failed, 126 the program can't be executed,
127 it is not found. Everything said goes to standard error and begins with `contain: `.
"""

import posix

from contain import linux

FAILED = 125
NOT_EXECUTABLE = 126
NOT_FOUND = 127

_AT_ONCE = 4096  # bytes that a pipe which poll(2) calls writable takes without waiting: PIPE_BUF of pipe(7)
_LOOK = 100  # milliseconds between two looks whether somebody wants us to end, while standard error is full
_TO_END = sum([1 << signal - 1 for signal in (linux.SIGHUP, linux.SIGINT, linux.SIGQUIT, linux.SIGTERM)])


class ContainError(Exception):
    """A deed that could not be done.

    `deed` (str) names the deed and its object, `reason` (str) why not, `hint` (str, may be empty) the remedy,
    `status` (int) the exit status that goes with it, `trace` (lines) where a bug came from, if that is asked for.
    """

    trace: "tuple[str, ...]" = ()

    def __init__(self, deed: str, reason: str, hint: str = "", status: int = FAILED) -> None:
        super().__init__(deed, reason)
        self.deed, self.reason, self.hint, self.status = deed, reason, hint, status

    def __str__(self) -> str:
        return f"{self.deed}: {self.reason}" if self.deed else self.reason


def text(raw: bytes) -> str:
    """`raw` as one printable line: what is no UTF-8 or no printable character is shown as an escape.

    By hand: a child in the root may call it, and the codec `unicode_escape` would be a file of that root.
    """
    return "".join([c if c.isprintable() else _escape(c) for c in raw.decode("utf-8", "backslashreplace")])


def _escape(character: str) -> str:
    number = ord(character)
    plain = {9: "\\t", 10: "\\n", 13: "\\r"}.get(number)
    return plain or (f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}")


def word(raw: bytes) -> str:
    """`raw` as a shell would need it typed: quoted when it holds anything but plain characters."""
    shown = text(raw)
    if shown and all(c.isalnum() or c in "@%+=:,./-_" for c in shown):
        return shown
    return "'" + shown.replace("'", "'\\''") + "'"


def say(line: str) -> None:
    """Write one line to standard error, whole, and never fail: a closed stderr must not change the outcome.

    A full one is waited for, as any program waits for its reader, but only until somebody wants us to end.
    """
    rest = memoryview(f"contain: {line}\n".encode("utf-8", "backslashreplace"))
    try:
        while rest:
            while 2 not in linux.poll((), (2,), _LOOK):
                if linux.pending_signals() & _TO_END:
                    return
            rest = rest[posix.write(2, rest[:_AT_ONCE]) :]
    except OSError:
        pass


def report(error: ContainError) -> None:
    """Tell the user what failed and, where there is one, the remedy."""
    say(str(error))
    if error.hint:
        say(f"hint: {error.hint}")
    for line in error.trace:
        say(f"debug: {line}")


# -- bugs ---------------------------------------------------------------------------------------------------------------


def bug(error: BaseException) -> ContainError:
    """What to say of an exception that nobody foresaw. Imports and opens nothing, so that a child in the root may call it."""
    hint = "please report it, with what CONTAIN_DEBUG=1 adds, where contain came from"
    return traced(ContainError("bug", described(error), hint), error)


def traced(made: ContainError, error: BaseException) -> ContainError:
    """`made`, with the places that `error` came through, if they are asked for."""
    if posix.environ.get(b"CONTAIN_DEBUG") == b"1":
        made.trace = tuple([f"{place}, in {function}" for place, function in places(error)])
    return made


def unforeseen(error: OSError) -> ContainError:
    """What to say of a kernel's answer that no step stands for: the file it is about, or where in contain it was asked."""
    if not error.errno:
        return bug(error)
    reason = posix.strerror(error.errno)
    if error.filename:
        name = error.filename if isinstance(error.filename, bytes) else str(error.filename).encode("utf-8", "backslashreplace")
        return traced(ContainError("start", f"{text(name)}: {reason}"), error)
    asked = [place for place in places(error) if not place[0].startswith("contain/linux.py")]
    place, function = asked[-1]
    return traced(ContainError("start", f"{reason}, in {function} at {place}"), error)


def described(error: BaseException) -> str:
    """Class, words and place of an exception, in one line."""
    try:
        words = text(str(error).encode("utf-8", "backslashreplace"))[:500]
    except BaseException:
        words = ""
    place, function = places(error)[-1]
    return f"{type(error).__name__}{': ' if words else ''}{words} at {place}, in {function}"


def places(error: BaseException) -> "list[tuple[str, str]]":
    """File, line and function of every call that `error` came through, the innermost last."""
    found = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        at = code.co_filename.rfind("contain/")
        found.append((f"{code.co_filename[max(at, 0) :]}:{trace.tb_lineno}", code.co_name))
        trace = trace.tb_next
    return found[-100:] or [("?", "?")]
