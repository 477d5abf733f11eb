"""argv → a launch, or one of the subcommands. Standard library only, and little of that: this is the launch path."""

import gc
import posix
import sys

from contain import linux
from contain.errors import FAILED, ContainError, bug, report, say, text, unforeseen
from contain.hierarchy import read_or_nothing
from contain.launch import Launch, leave
from contain.options import HELP, UnknownWordError, parse
from contain.plan import make
from contain.relay import caller_environment

COMMANDS = (b"explain", b"demo", b"gc", b"completion", b"man", b"version", b"help")


def main() -> None:
    """Run contain and end the process; never returns."""
    status = FAILED
    words: list[bytes] = []
    try:
        gc.disable()  # nothing lives long enough to be worth a collection, and a collection would copy pages after fork
        if linux.signal_action(linux.SIGINT, linux.SIG_DFL) == linux.SIG_IGN:
            linux.signal_action(linux.SIGINT, linux.SIG_IGN)  # not ours to change; only Python's own handler was
        open_standard_streams()
        words = arguments()
        status = run(words)
    except BaseException as error:
        status = tell(error, words)
    finally:
        posix._exit(status)


def tell(error: BaseException, words: "list[bytes]") -> int:
    """Say what ended the launch, and answer the status that goes with it. Where memory is short, that is said in few words."""
    try:
        failed = in_words(error)
        look_further(failed, words)
        ignore_broken_pipes()
        report(failed)
        return failed.status
    except MemoryError:
        posix.write(2, b"contain: start: out of memory\n")
        return FAILED


def in_words(error: BaseException) -> ContainError:
    """What to say of whatever ended the launch."""
    if isinstance(error, UnknownWordError):
        name_the_nearest(error)
    if isinstance(error, ContainError):
        return error
    if isinstance(error, MemoryError):
        return ContainError("start", "out of memory")
    return unforeseen(error) if isinstance(error, OSError) else bug(error)


def look_further(failed: ContainError, words: "list[bytes]") -> None:
    """Have the cause told that an errno does not name, if one is found. Its module is loaded only now, when all is over."""
    from importlib import import_module

    try:
        import_module("contain.commands.causes").add(failed, words)
    except Exception:  # noqa: S110 - whatever went wrong here, what failed first is what is told
        pass


def name_the_nearest(error: UnknownWordError) -> None:
    """Have the hint name what is most like the unknown word. Its module is loaded only now, where nothing has been done yet."""
    from importlib import import_module

    try:
        error.hint = import_module("contain.commands.nearest").hint(error.kind, error.typed) or error.hint
    except ModuleNotFoundError:
        pass  # the refusal stands without it


def run(words: "list[bytes]") -> int:
    """Do what the words ask for. Returns an exit status; of a program that ran, the process ends as it did instead."""
    if not words:
        sys.stdout = sys.stderr
        command("help", [])
        return FAILED
    if words[0] in COMMANDS:
        asks = words[1:2] and words[1] in HELP
        return command("help", words[:1]) if asks else command(words[0].decode("ascii"), words[1:])
    if words[0] == b"chroot" and words[1:2] and words[1] in HELP:
        return command("help", words[:1])
    options = parse(words)
    if options.help or options.version:
        return command("help" if options.help else "version", [])
    if options.dry_run:
        return command("explain", words)
    if options.chroot is None and not words[0].startswith(b"-"):  # a program, then, or a command that is not there
        raise UnknownWordError("command", words[0], "--chroot", "no rootfs is named", "contain --chroot DIR -- PROGRAM")
    for fd in range(3, 3 + options.preserve_fds):
        try:
            posix.fstat(fd)
        except OSError:
            raise ContainError(f"--preserve-fds {options.preserve_fds}", f"descriptor {fd} is not open") from None
    plan = make(options, caller_environment())
    if plan.warnings and not options.quiet:
        ignore_broken_pipes()
        for line in plan.warnings:
            say(f"warning: {line}")
        linux.signal_action(linux.SIGPIPE, linux.SIG_DFL)
    leave(Launch(plan).run())
    return FAILED


def ignore_broken_pipes() -> None:
    """Have a write that nobody will read, or no file may hold, fail and not kill us: what is said changes no exit status."""
    linux.signal_action(linux.SIGPIPE, linux.SIG_IGN)
    linux.signal_action(linux.SIGXFSZ, linux.SIG_IGN)


def command(name: str, words: "list[bytes]") -> int:
    """A subcommand, whose module is loaded only now and may import what it likes."""
    from importlib import import_module

    ignore_broken_pipes()
    try:
        module = import_module(f"contain.commands.{name}")
    except ModuleNotFoundError:
        raise ContainError(f"contain {text(name.encode())}", "this command is not installed") from None
    try:
        status = int(module.main([bytes(word) for word in words]))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read what is printed has enough: end as any program does
        linux.signal_action(linux.SIGPIPE, linux.SIG_DFL)
        posix.kill(posix.getpid(), linux.SIGPIPE)
        status = 128 + linux.SIGPIPE
    except OSError as error:
        raise ContainError(f"contain {name}", posix.strerror(error.errno or 0)) from None
    return status


def arguments() -> "list[bytes]":
    """The words after `contain`, byte for byte as they were typed."""
    count = len(sys.argv) - 1
    raw = read_or_nothing(b"/proc/self/cmdline").split(b"\0")[:-1]
    if len(raw) >= count:
        return raw[len(raw) - count :] if count else []
    return [word.encode("utf-8", "surrogateescape") for word in sys.argv[1:]]


def open_standard_streams() -> None:
    """Descriptors 0 to 2 that were closed become /dev/null; else a file of the host would take their numbers."""
    for fd in range(3):
        try:
            posix.fstat(fd)
        except OSError:
            posix.set_inheritable(posix.open(b"/dev/null", posix.O_RDWR), True)
