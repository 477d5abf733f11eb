"""What contain says when it can't: one error class, the exit statuses, one line of words each.

Statuses follow coreutils' `timeout`, `env` and `nohup`: 125 the launcher failed, 126 the program can't be executed,
127 it is not found. Everything said goes to standard error and begins with `contain: `.
"""

import posix

FAILED = 125
NOT_EXECUTABLE = 126
NOT_FOUND = 127


class ContainError(Exception):
    """A deed that could not be done.

    `deed` (str) names the deed and its object, `reason` (str) why not, `hint` (str, may be empty) the remedy,
    `status` (int) the exit status that goes with it.
    """

    def __init__(self, deed: str, reason: str, hint: str = "", status: int = FAILED) -> None:
        super().__init__(deed, reason)
        self.deed, self.reason, self.hint, self.status = deed, reason, hint, status

    def __str__(self) -> str:
        return f"{self.deed}: {self.reason}" if self.deed else self.reason


def text(raw: bytes) -> str:
    """`raw` as one printable line: what is no UTF-8 or no printable character is shown as an escape."""
    shown = raw.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)


def word(raw: bytes) -> str:
    """`raw` as a shell would need it typed: quoted when it holds anything but plain characters."""
    shown = text(raw)
    if shown and all(c.isalnum() or c in "@%+=:,./-_" for c in shown):
        return shown
    return "'" + shown.replace("'", "'\\''") + "'"


def say(line: str) -> None:
    """Write one line to standard error, whole, and never fail: a closed or full stderr must not change the outcome."""
    rest = memoryview(f"contain: {line}\n".encode("utf-8", "backslashreplace"))
    try:
        while rest:
            rest = rest[posix.write(2, rest) :]
    except OSError:
        pass


def report(error: ContainError) -> None:
    """Tell the user what failed and, where there is one, the remedy."""
    say(str(error))
    if error.hint:
        say(f"hint: {error.hint}")
