"""The two stubs: their bytes are what the assembler makes of asm/*.S, and the kernel runs them as they promise."""

import os
import platform
import shutil
import signal
import struct
import subprocess
from pathlib import Path

import pytest

from contain import linux, stub

ASSEMBLY = Path(stub.__file__).parent / "asm"
ENOENT, ENOEXEC, EACCES = 2, 8, 13
NONCE = b"0123456789ab"
READY = struct.pack("<II", stub.READY, 0)
TRUE = os.path.realpath(shutil.which("true") or "/bin/true")

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the stubs are x86-64 machine code")


@pytest.mark.parametrize(("name", "code"), [("init", stub.INIT), ("exec", stub.EXEC)])
def test_the_bytes_in_the_tree_are_the_assembled_source(tmp_path: Path, name: str, code: bytes) -> None:
    for tool in ("as", "objcopy"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed (Debian: binutils)")
    made, raw = tmp_path / f"{name}.o", tmp_path / f"{name}.bin"
    subprocess.run(["as", "--64", "-o", made, ASSEMBLY / f"{name}.S"], check=True)
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", made, raw], check=True)
    assert raw.read_bytes() == code


def memfd(content_of: object, keep: int) -> int:
    """A sealed memfd numbered `keep` or above, inherited across exec; `content_of(fd)` is its content."""
    own = linux.memfd(b"stub")
    inherited = linux.fcntl(own, linux.F_DUPFD, keep)
    linux.fill_and_seal(own, content_of(inherited))  # type: ignore[operator]
    return inherited


def run_exec_stub(*paths: str, arguments: tuple[bytes, ...] = (b"x",), keep: int = 3) -> tuple[int, bytes, bytes]:
    """Become the exec stub in a child: its wait status, its report, what it wrote to standard output."""
    report_read, report_write = os.pipe()
    output_read, output_write = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.dup2(output_write, 1)
            report = linux.fcntl(report_write, linux.F_DUPFD, 200)
            raw = tuple(os.fsencode(path) for path in paths)
            fd = memfd(lambda number: stub.exec_stub(number, keep, report, 17, NONCE, raw), 199)
            linux.execveat(fd, list(arguments), [b"A=1", b"A=2", b"\xff=\xff"])
        finally:
            os._exit(99)
    os.close(report_write)
    os.close(output_write)
    with open(report_read, "rb") as told, open(output_read, "rb") as output:
        answer = told.read(), output.read()
    return os.waitpid(pid, 0)[1], *answer


def test_the_first_path_that_can_be_executed_is() -> None:
    status, report, _ = run_exec_stub("/nonexistent/true", "/dev/null/true", TRUE, "/bin/false")
    assert (os.waitstatus_to_exitcode(status), report) == (0, READY)


def test_arguments_and_environment_pass_byte_for_byte() -> None:
    arguments = (b"cat", b"/proc/self/cmdline", b"/proc/self/environ")
    _, report, output = run_exec_stub("/bin/cat", arguments=arguments)
    assert report == READY
    assert output == b"\0".join(arguments) + b"\0" + b"A=1\0A=2\0\xff=\xff\0"


@pytest.mark.parametrize(
    ("paths", "errno"),
    [
        ((), ENOENT),
        (("/nonexistent",), ENOENT),
        (("/nonexistent", "/dev/null/x"), ENOENT),
        (("/etc", "/nonexistent"), EACCES),
        (("/dev/null",), EACCES),
        (("/proc/self/exe", "/nonexistent"), EACCES),
    ],
)
def test_what_could_not_be_executed_is_reported_in_eight_bytes(paths: tuple[str, ...], errno: int) -> None:
    status, report, _ = run_exec_stub(*paths)
    assert struct.unpack("<II", report.removeprefix(READY)) == (17, errno)
    assert os.waitstatus_to_exitcode(status) == 127


def test_a_file_that_is_no_program_ends_the_search(tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    odd.write_bytes(b"neither a program nor a script\n")
    odd.chmod(0o755)
    status, report, _ = run_exec_stub(str(odd), TRUE)
    assert struct.unpack("<II", report.removeprefix(READY)) == (17, ENOEXEC)
    assert os.waitstatus_to_exitcode(status) == 127


@pytest.mark.row("B89")
def test_a_link_to_the_running_executable_gives_nothing_to_run(tmp_path: Path) -> None:
    link, script = tmp_path / "link", tmp_path / "script"
    link.symlink_to("/proc/self/exe")
    script.write_text("#!/proc/self/exe\n", encoding="ascii")
    script.chmod(0o755)
    for path in (link, script):
        _, report, _ = run_exec_stub(str(path))
        assert struct.unpack("<II", report.removeprefix(READY)) == (17, EACCES)


@pytest.mark.parametrize("keep", [3, 5])
def test_descriptors_from_keep_on_are_not_passed_on(keep: int) -> None:
    spare = [fd for fd in range(3, 9) if not Path(f"/proc/self/fd/{fd}").exists()]
    opened = [os.dup2(0, fd, inheritable=True) for fd in spare]
    try:
        _, _, output = run_exec_stub("/bin/ls", arguments=(b"ls", b"/proc/self/fd"), keep=keep)
    finally:
        for fd in opened:
            os.close(fd)
    passed = {int(word) for word in output.split()}
    assert passed >= {0, 1, 2}
    assert all(fd <= keep for fd in passed), "ls itself opens the one number that is free"


class Init:
    """A running init stub: `ask` it, read what `status` the kernel shows, `end` it."""

    def __init__(self) -> None:
        life_read, self.life = os.pipe()
        self.ready, ready_write = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            try:
                linux.signal_mask(linux.SIG_SETMASK, linux.ALL_SIGNALS)
                os.close(self.life)
                fd = memfd(stub.init_stub, 200)
                os.dup2(life_read, 0)
                os.dup2(ready_write, 1)
                linux.execveat(fd, [b"init"], [])
            finally:
                os._exit(99)
        os.close(life_read)
        os.close(ready_write)

    def ask(self) -> bytes:
        os.write(self.life, b"?")
        return os.read(self.ready, 2)

    def status(self, field: str) -> str:
        lines = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith(field))

    def end(self) -> int:
        os.close(self.life)
        status = os.waitpid(self.pid, 0)[1]
        os.close(self.ready)
        return os.waitstatus_to_exitcode(status)


def test_init_says_ready_answers_each_question_and_ends_with_its_launcher() -> None:
    init = Init()
    assert os.read(init.ready, 2) == b"R"
    assert init.ask() == b"R"
    assert init.ask() == b"R"
    assert init.end() == 0


def test_init_shows_its_own_name_and_no_environment() -> None:
    init = Init()
    os.read(init.ready, 1)
    assert init.status("Name") == "init"
    assert Path(f"/proc/{init.pid}/cmdline").read_bytes() == b"init\0"
    init.end()


def test_init_holds_what_was_sent_to_the_group_until_it_is_asked() -> None:
    init = Init()
    os.read(init.ready, 1)
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1):
        os.kill(init.pid, number)
    assert int(init.status("ShdPnd"), 16) == 1 << 0 | 1 << 14 | 1 << 9
    assert init.ask() == b"R"
    assert int(init.status("ShdPnd"), 16) == 0
    assert init.end() == 0
