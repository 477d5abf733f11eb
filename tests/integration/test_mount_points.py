"""Places that are made in the root to mount on: no launch loses one to another, no kill and no error leaves one for good."""

import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.integration.harness import images
from tests.integration.harness.host import Host
from tests.integration.harness.judge import SEVEN, accepted, refused
from tests.integration.harness.running import Running

Mounted = Callable[..., str]
Bare = Callable[..., str]
KINDS = ("the host's", "tmpfs", "ramfs")  # a ramfs has no attributes
PAIRS = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def bare(host: Host, busybox: str, mounted: Mounted) -> Iterator[Bare]:
    """`bare(kind)`: a root on a file system of that kind, without any place to mount on."""
    made: list[str] = []

    def make(kind: str = KINDS[0]) -> str:
        root = host.new("bare") if kind == KINDS[0] else f"{mounted(kind)}/root"
        images.make(host, root, busybox)
        host.run("rmdir", f"{root}/proc", f"{root}/dev")
        made.append(root)
        return root

    yield make
    host.end_all()
    for root in made:
        host.remove(root)


@pytest.fixture
def source(host: Host) -> Iterator[str]:
    """A folder to bind, with a file in it."""
    path = host.new("source")
    host.shell('mkdir "$1"; echo given > "$1/word"', path)
    yield path
    host.remove(path)


def stays(kind: str) -> str:
    return "1" if kind == "ramfs" else "0"


@PAIRS
def test_of_two_launches_at_once_neither_loses_what_it_stands_on(host: Host, bare: Bare, source: str, kind: str) -> None:
    words = (bare(kind), source, stays(kind), str(host.rounds(20)), "1")
    assert host.drive("pairs.py", *words) == []


@pytest.mark.exhaustive
@PAIRS
@pytest.mark.parametrize("seed", ["2", "3", "4", "5", "6"])
def test_of_many_pairs_none_loses_what_it_stands_on(host: Host, bare: Bare, source: str, kind: str, seed: str) -> None:
    words = (bare(kind), source, stays(kind), str(host.rounds(100)), seed)
    assert host.drive("pairs.py", *words, within=600) == []


# What happens to a launch at one of its calls about mount points; see the driver.
ERRORS = ("EIO", "ENOSPC", "EACCES", "EPERM", "ENOLCK", "EINVAL", "EMFILE", "EOPNOTSUPP")
EVENTS = ("kill", "short", "long", *ERRORS)


def disturbed(host: Host, root: str, source: str, kind: str, how: str, first: int, step: int) -> list[str]:
    host.run("mkdir", f"{root}/dev")
    return host.drive("disturbed.py", root, source, stays(kind), how, str(first), str(step), within=600)


@pytest.mark.parametrize(
    ("kind", "how"),
    [(KINDS[0], "kill"), (KINDS[0], "short"), (KINDS[0], "long"), (KINDS[0], "EIO"), (KINDS[0], "EINVAL"), ("ramfs", "short")],
)
def test_a_launch_disturbed_at_a_call_harms_no_other_and_leaves_nothing_for_good(
    host: Host, bare: Bare, source: str, kind: str, how: str
) -> None:
    """Some calls of each kind of disturbance, others for each."""
    first = 1 + (EVENTS.index(how) + KINDS.index(kind)) % 7
    assert disturbed(host, bare(kind), source, kind, how, first, 7) == []


@pytest.mark.exhaustive
@PAIRS
@pytest.mark.parametrize("how", EVENTS)
def test_no_disturbance_at_any_call_harms_another_or_leaves_something_for_good(
    host: Host, bare: Bare, source: str, kind: str, how: str
) -> None:
    assert disturbed(host, bare(kind), source, kind, how, 1, 1) == []


def kills(host: Host, root: str, source: str, many: int) -> None:
    before = host.run("ls", "-A", root).lines
    words = ("--bind", f"{source}:/in", "--bind", f"{source}/word:/file", "--tmpfs", "/tmp2")
    assert host.drive("kills.py", root, str(many), *words, within=600) == []
    assert host.run("ls", "-A", root).lines == before


def test_after_kills_at_any_time_one_more_launch_leaves_the_root_as_it_was(host: Host, bare: Bare, source: str) -> None:
    kills(host, bare(), source, host.rounds(20))


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", KINDS[:2])
def test_after_many_kills_one_more_launch_leaves_the_root_as_it_was(host: Host, bare: Bare, source: str, kind: str) -> None:
    kills(host, bare(kind), source, host.rounds(1000))


MARK = "import os, sys; [os.setxattr(path, 'trusted.contain', b'1') for path in sys.argv[1:]]"
HOLD = """
import fcntl, os, sys
kind, *paths = sys.argv[1:]
fds = [os.open(path, os.O_RDONLY) for path in paths]
os.setuid(1000)
for fd in fds:
    fcntl.flock(fd, fcntl.LOCK_SH if kind == "shared" else fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""
PLACES = ("proc", "dev", "tmp2")


def held(host: Host, kind: str, *paths: str) -> Running:
    """An ordinary user's locks."""
    return host.start("/usr/bin/python3", "-IS", "-c", HOLD, kind, *paths).wait_for("held")


def quickest(host: Host, *words: str) -> float:
    """Seconds that a launch takes: the best of three."""
    took = []
    for _ in range(3):
        began = time.monotonic()
        accepted(host.contained(*words, "--", *SEVEN, within=5))
        took.append(time.monotonic() - began)
    return min(took)


@pytest.mark.parametrize("kind", ["shared", "exclusive"])
@pytest.mark.parametrize("marked", [True, False], ids=["marked", "not ours"])
def test_a_strangers_lock_neither_refuses_nor_delays_a_launch(host: Host, bare: Bare, kind: str, marked: bool) -> None:
    """Three of its places are locked; it waits 0.2 s in all, and only for an exclusive lock on what contain made."""
    root = bare()
    words = ("--chroot", root, "--tmpfs", "/tmp2")
    alone = quickest(host, *words)
    paths = [f"{root}/{place}" for place in PLACES]
    host.run("mkdir", *paths)
    if marked:
        host.run("/usr/bin/python3", "-IS", "-c", MARK, *paths)
    holder = held(host, kind, *paths)
    assert quickest(host, *words) - alone < (0.45 if kind == "exclusive" and marked else 0.2) * host.patience
    running = host.contain(*words, "--", "sh", "-c", "echo on; exec sleep 1000").wait_for("on", 2)
    running.signal("TERM")
    assert running.finished(2).status == -signal.SIGTERM
    holder.close_stdin()
    holder.finished()
    accepted(host.contained(*words, "--", *SEVEN))
    left = [place for place in PLACES if place in host.run("ls", root).lines]
    assert left == ([] if marked else list(PLACES)), "marked ones go with the first launch that can have the lock"


# Whatever follows is executed under a filter (seccomp(2), linux/filter.h) that answers one call with an errno.
REFUSE = """
import ctypes, errno, os, struct, sys
call, answer, *words = sys.argv[1:]
number, second = {"flock": (73, 6), "fgetxattr": (193, -1)}[call]  # of flock only LOCK_EX | LOCK_NB
load, equal, allow = (0x20, 0, 0), 0x15, (0x06, 0, 0, 0x7fff0000)
look = [(*load, 24), (equal, 0, 1, second)] if second >= 0 else []
code = [(*load, 0), (equal, 0, len(look) + 1, number), *look, (0x06, 0, 0, 0x50000 | getattr(errno, answer)), allow]
raw = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code), ctypes.addressof(raw)))
if ctypes.CDLL(None).syscall(317, 1, 0, program):
    sys.exit("seccomp")
os.execv(words[0], words)
"""


@pytest.mark.parametrize(
    ("call", "answer", "reason"),
    [
        ("flock", "EOPNOTSUPP", "not supported"),
        ("flock", "ENOSYS", "not implemented"),
        ("flock", "ENOLCK", "no locks"),
        ("fgetxattr", "EIO", "input/output"),
    ],
)
def test_what_hinders_a_removal_is_told_and_the_place_goes_with_the_next(
    host: Host, bare: Bare, call: str, answer: str, reason: str
) -> None:
    """Such as a file system that has attributes, but no locks."""
    root = bare()
    before = host.run("ls", "-A", root).lines
    launch = (host.contain_path, "--chroot", root, "--pids-limit", "max", "--", *SEVEN)
    ran = host.finish("/usr/bin/python3", "-IS", "-c", REFUSE, call, answer, *launch)
    for place in ("proc", "dev"):
        accepted(ran, f"undo mkdir {root}/{place} .*{reason}")
    accepted(host.finish(*launch))
    assert host.run("ls", "-A", root).lines == before


@pytest.mark.parametrize("odd", ["mkfifo", "mknod", "socket"])
def test_a_place_that_is_no_regular_file_is_not_opened(host: Host, own_rootfs: str, source: str, odd: str) -> None:
    """The FIFO would wait for a writer, the device has no driver, a socket can't be opened."""
    place = f"{own_rootfs}/place"
    socket = "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])"
    words = {"mkfifo": (place,), "mknod": (place, "c", "511", "9"), "socket": ()}[odd]
    host.run(*(("/usr/bin/python3", "-IS", "-c", socket, place) if odd == "socket" else (odd, *words)))
    script = "[ -s /place ] && exit 7"
    accepted(host.contained("--chroot", own_rootfs, "--bind", f"{source}/word:/place", "--", "sh", "-c", script, within=5))


def test_a_file_that_somebody_has_written_to_is_kept(host: Host, bare: Bare, source: str) -> None:
    root = bare()
    running = host.contain("--chroot", root, "--bind", f"{source}/word:/file", "--", "sh", "-c", "echo on; read end; exit 7")
    running.wait_for("on")
    host.put(f"{root}/file", "precious")
    running.close_stdin()
    accepted(running.finished(), "undo touch .*/file .*not empty")
    assert host.run("cat", f"{root}/file").text == "precious"


def test_only_temporary_names_that_a_launcher_left_are_swept(host: Host, bare: Bare) -> None:
    root = bare()
    ours = [".contain-0123456789abcdef", ".contain-fedcba9876543210"]
    others = [
        ".contain-",
        ".contain-backup",
        ".contain-0123456789abcdeg",
        ".contain-0123456789abcdef0",
        ".contain-0000000000000000",
    ]
    host.shell('cd "$1"; shift; mkdir -m 755 "$@"', root, *ours, *others)
    host.run("/usr/bin/python3", "-IS", "-c", MARK, f"{root}/{ours[0]}")
    host.run("chmod", "700", f"{root}/{ours[1]}")
    accepted(host.contained("--chroot", root, "--", *SEVEN))
    assert [name for name in host.run("ls", "-A", root).lines if name.startswith(".contain")] == sorted(others)


def test_what_cannot_be_marked_stays_with_one_warning(host: Host, bare: Bare) -> None:
    root = bare("ramfs")
    words = ("--chroot", root, "--tmpfs", "/tmp2")
    ran = host.contained(*words, "--", *SEVEN)
    accepted(ran, "mount point .*/proc .*: it stays")
    assert len(ran.errors.splitlines()) == 1
    assert set(PLACES) <= set(host.run("ls", root).lines)
    accepted(host.contained(*words, "--", *SEVEN))
    host.shell('cd "$1" && rmdir proc dev tmp2', root)
    accepted(host.contained("--quiet", *words, "--", *SEVEN))


def test_a_place_in_a_bound_tree_is_held_as_well(host: Host, bare: Bare, rootfs: str) -> None:
    """It may be another launch's, made for the time of that."""
    root = bare()
    first = host.contain("--chroot", root, "--tmpfs", "/data", "--", "sh", "-c", "echo on; read end; exit 7").wait_for("on")
    words = ("--chroot", rootfs, "--bind", f"{root}:/tmp", "--tmpfs", "/tmp/data")
    script = "echo mine > /tmp/data/mine; echo on; read end; [ -e /tmp/data/mine ] && exit 7"
    second = host.contain(*words, "--", "sh", "-c", script).wait_for("on")
    first.close_stdin()
    accepted(first.finished())
    second.close_stdin()
    accepted(second.finished())
    assert "data" not in host.run("ls", root).lines


def test_nothing_is_made_in_a_tree_that_is_bound_over_a_tmpfs(host: Host, own_rootfs: str, rootfs: str) -> None:
    """The last that was mounted there is what a place lies in, and that is somebody's own."""
    host.run("mkdir", f"{own_rootfs}/tmp/a")
    words = ("--tmpfs", "/tmp", "--bind", f"{own_rootfs}/tmp/a:/tmp", "--tmpfs", "/tmp/new")
    refused(host.contained("--quiet", "--chroot", rootfs, *words, "--", *SEVEN), "mount -t tmpfs .* /tmp/new: No such file")
    assert host.run("ls", "-A", f"{own_rootfs}/tmp/a").lines == []
    words = ("--bind", f"{own_rootfs}/tmp/a:/tmp", "--tmpfs", "/tmp", "--tmpfs", "/tmp/new")
    accepted(host.contained("--quiet", "--chroot", rootfs, *words, "--", *SEVEN))
    assert host.run("ls", "-A", f"{own_rootfs}/tmp/a").lines == []
