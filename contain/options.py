"""The table of options: one row each, from which come parsing, --help, the manual page and shell completion.

Parsing is by hand: argparse costs 8 ms, takes abbreviations and reports errors with status 2.
"""

from contain import values
from contain.errors import ContainError, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

HELP = (b"-h", b"-help", b"--help")


class UnknownWordError(ContainError):
    """A word that names nothing of its `kind`, `option` or `command`; who reports it may look for the nearest (nearest.py)."""

    def __init__(self, kind: str, typed: bytes, deed: str, reason: str, hint: str) -> None:
        super().__init__(deed, reason, hint)
        self.kind, self.typed = kind, typed


class Option:
    """One row. `take` turns the word given into a value (ValueError: why not); None marks a flag without a value."""

    def __init__(
        self, name: str, metavar: str, take: "Callable[[bytes], Any] | None", group: str, words: str,
        *, alias: str = "", many: bool = False,
    ) -> None:  # fmt: skip
        self.name, self.metavar, self.take, self.group, self.help = name, metavar, take, group, words
        self.alias, self.many = alias, many
        self.field = name.replace("-", "_")


def _path(raw: bytes) -> bytes:
    if not raw:
        raise ValueError("the rootfs is empty: name a directory")
    return raw


def _tasks(raw: bytes) -> "int | None":
    return None if raw == b"max" else values.count(raw, 4194304, "the number of tasks")


def _descriptors(raw: bytes) -> int:
    return 0 if raw == b"0" else values.count(raw, 1000, "the number of descriptors")


LIMITS, ROOT, PROGRAM, OTHER = "Limits", "File system", "Program", "Other"

TABLE = (
    Option("chroot", "DIR", _path, ROOT, "the program sees DIR as its whole file system (required)"),
    Option("memory-limit", "SIZE", values.size, LIMITS,
           "kill the program when it needs more than SIZE: 64MB (1000s), 64MiB or 64m (1024s)"),
    Option("cpu-core-ids", "LIST", values.cpus, LIMITS, "run on these cores only: 1,3 or 0-7 or 3,5-7", alias="cpu-coreids"),
    Option("network-address", "ADDR/LEN", values.address, LIMITS,
           "one interface, eth0, with this address, on the bridge; without it: loopback only"),
    Option("bridge", "NAME", values.interface_name, LIMITS, "the existing bridge that eth0 is hooked to (default: docker0)"),
    Option("pids-limit", "N|max", _tasks, LIMITS, "at most N processes and threads (default: 4096)"),
    Option("read-only", "", None, ROOT, "the root can't be written to"),
    Option("bind", "SRC:DST[:ro|:rw]", values.bind, ROOT, "show the host's SRC as DST inside (default: rw); may be repeated",
           many=True),
    Option("tmpfs", "DST", values.inside_path, ROOT, "an empty tmpfs as DST inside; may be repeated", many=True),
    Option("workdir", "DIR", values.inside_path, PROGRAM, "start in DIR (default: /)"),
    Option("env", "NAME[=VALUE]", values.variable, PROGRAM,
           "set a variable, or pass the caller's on; may be repeated (default: only PATH is set)", many=True),
    Option("env-all", "", None, PROGRAM, "pass the caller's whole environment on"),
    Option("hostname", "NAME", values.hostname, PROGRAM, "the host name inside (default: the host's)"),
    Option("user", "UID[:GID]", values.user, PROGRAM, "run as this user and group, by number (default: the caller's)"),
    Option("allow-setuid", "", None, PROGRAM, "let set-user-ID files and file capabilities take effect (su, sudo)"),
    Option("tty", "", None, PROGRAM, "give the program a terminal of its own, joined to standard input and output"),
    Option("preserve-fds", "N", _descriptors, PROGRAM, "pass N more descriptors on, from 3 up"),
    Option("cgroup-parent", "PATH", values.inside_path, OTHER, "make the cgroups below this one (default: the caller's)"),
    Option("quiet", "", None, OTHER, "no warnings"),
    Option("dry-run", "", None, OTHER, "print what would be done, step by step, and do nothing (also: contain explain …)"),
    Option("help", "", None, OTHER, "this text", alias="h"),
    Option("version", "", None, OTHER, "the version"),
)  # fmt: skip

_BY_NAME = {spelling.encode("ascii"): option for option in TABLE for spelling in (option.name, option.alias) if spelling}

# Options whose values are often typed with a blank, and what a next word begins with that can only be the value's end.
_CUT = {"memory-limit": b"", "cpu-core-ids": b",", "network-address": b"", "user": b":", "bind": b":"}


class Options:
    """What was asked for, each value checked by its grammar; None or an empty list where nothing was."""

    def __init__(self) -> None:
        self.chroot: bytes | None = None
        self.memory_limit: int | None = None
        self.cpu_core_ids: tuple[int, ...] | None = None
        self.network_address: values.Address | None = None
        self.bridge: bytes | None = None
        self.pids_limit: int | None = 4096
        self.read_only = False
        self.bind: list[tuple[bytes, bytes, bool]] = []
        self.tmpfs: list[bytes] = []
        self.workdir = b"/"
        self.env: list[bytes] = []
        self.env_all = False
        self.hostname: bytes | None = None
        self.user: tuple[int, int] | None = None
        self.allow_setuid = False
        self.tty = False
        self.preserve_fds = 0
        self.cgroup_parent: bytes | None = None
        self.quiet = False
        self.dry_run = False
        self.help = False
        self.version = False
        self.program: list[bytes] = []
        self.mounts: list[tuple[str, Any]] = []  # binds and tmpfs, in the order given


def parse(words: "list[bytes]") -> Options:
    """Options and program from the words after `contain`. Raises ContainError naming the option and what is wrong."""
    options = Options()
    given: set[str] = set()
    at = 0
    while at < len(words):
        typed = words[at]
        at += 1
        if typed == b"--":
            break
        if typed == b"chroot" and "chroot" not in given:
            typed = b"--chroot"  # no program can stand here, as no root is named yet
            if words[at : at + 1] and words[at] in HELP:
                continue
        if not typed.startswith(b"-") or typed == b"-":
            at -= 1
            break
        option, equals, value = _named(typed)
        if option is None:
            raise UnknownWordError(
                "option", typed, f"option {text(typed)}", "there is no such option", "contain --help lists them"
            )
        if option.name in given and not option.many:
            raise ContainError(f"--{option.name}", "it is given twice", "give it once")
        given.add(option.name)
        if option.take is None:
            if equals:
                raise ContainError(f"--{option.name}", "it takes no value")
            setattr(options, option.field, True)
            continue
        if not equals:
            value = _next_word(option, words, at)
            at += 1
        _keep(options, option, _taken(option, option.take, value, words[at] if at < len(words) else b""))
    options.program = words[at:]
    return options


def _named(typed: bytes) -> "tuple[Option | None, bytes, bytes]":
    """The option that a word names, and what follows its name: `=` and a value, or nothing."""
    name, equals, value = typed.lstrip(b"-").partition(b"=") if not typed.startswith(b"---") else (typed, b"", b"")
    return _BY_NAME.get(name), equals, value


def _next_word(option: Option, words: "list[bytes]", at: int) -> bytes:
    """The value of an option that was typed without `=`. Raises ContainError if there is none, or an option in its place."""
    missing = f"its value {option.metavar} is missing"
    if at == len(words) or words[at] == b"--":
        raise ContainError(f"--{option.name}", missing)
    value = words[at]
    if value.startswith(b"-") and _named(value)[0] is not None:
        hint = f"--{option.name}={text(value)} takes it as it is"
        raise ContainError(f"--{option.name}", f"{missing}: {text(value)} is an option", hint)
    return value


def _taken(option: Option, take: "Callable[[bytes], Any]", value: bytes, after: bytes) -> "Any":
    """What the option makes of `value`. Raises ContainError, also if a blank has cut it: `after` is the next word."""
    reason = ""
    if after.startswith(b"-"):
        after = b""  # an option, or `--`: no value goes on so
    try:
        taken = take(value)
        if not _goes_on(option, value, after):
            return taken
    except ValueError as error:
        reason = str(error)
    shown = f"--{option.name} {text(value[:120])}".rstrip()
    if value and option.name in _CUT:
        for whole in (b"".join(value.split()), value + after):
            if whole != value and _fits(take, whole):
                cut = whole == value + after
                hint = f"--{option.name} {text(whole)}" + (", or -- before a program of that name" if cut else "")
                raise ContainError(f"{shown} {text(after)}" if cut else shown, "there is a blank in the value", hint)
    if not reason:
        return taken
    raise ContainError(shown, reason)


def _goes_on(option: Option, value: bytes, after: bytes) -> bool:
    """Whether the word after a good value looks like more of it: `64 MB`, `1 ,3`."""
    if option.name == "memory-limit":
        return value.isdigit() and after != b"" and after.lower() in values.UNITS
    return after != b"" and after[:1] == _CUT.get(option.name)


def _fits(take: "Callable[[bytes], Any]", value: bytes) -> bool:
    try:
        take(value)
    except ValueError:
        return False
    return True


def _keep(options: Options, option: Option, taken: "Any") -> None:
    if option.name in ("bind", "tmpfs"):
        options.mounts.append((option.name, taken))
    if option.many:
        getattr(options, option.field).append(taken)
    else:
        setattr(options, option.field, taken)
