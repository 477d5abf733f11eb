"""As people use it in a guest: logged in as its user, through sudo, over ssh and its terminal."""

import re
import subprocess
from collections.abc import Callable, Iterator

import pexpect
import pytest

from tests.integration.harness.host import Host

pytestmark = pytest.mark.guest

ROOT = "/srv/rootfs/busybox"
ROWS, COLUMNS = 31, 97
Terminal = Callable[[str], "pexpect.spawn[str]"]


def contain(host: Host, options: str, program: str) -> str:
    """The line that the user types."""
    return f"sudo {host.contain_path} --chroot {ROOT} {options} -- {program}"


@pytest.fixture
def terminal(host: Host) -> Iterator[Terminal]:
    """`terminal(command)`: ssh logs in on a terminal of its own and runs it."""
    begun: list[pexpect.spawn[str]] = []

    def begin(command: str) -> "pexpect.spawn[str]":
        ssh, *words = host.ssh_command("-tt", host.name, command)
        limit = 20 * host.patience
        begun.append(pexpect.spawn(ssh, words, timeout=limit, encoding="utf-8", dimensions=(ROWS, COLUMNS)))
        return begun[-1]

    yield begin
    for running in begun:
        running.close(force=True)


def ended(running: "pexpect.spawn[str]") -> tuple[int | None, str]:
    """The status that ssh gives, and what stood on the terminal until then, except what the ssh client adds."""
    running.expect(pexpect.EOF)
    running.close()
    return running.exitstatus, re.sub("Connection to .* closed.\r\n", "", running.before or "")


@pytest.mark.parametrize("script", ["exit 0", "exit 7", "kill -TERM $$", "kill -KILL $$"])
def test_sudo_and_ssh_tell_of_the_contained_program_what_they_tell_of_it_bare(
    host: Host, terminal: Terminal, script: str
) -> None:
    bare = ended(terminal(f"sudo {ROOT}/bin/busybox sh -c 'echo said; {script}'"))
    assert ended(terminal(contain(host, "", f"sh -c 'echo said; {script}'"))) == bare
    assert bare[1].startswith("said\r\n")


def test_streams_through_ssh_are_the_programs(host: Host) -> None:
    """Without a terminal: every byte of the input, its end, and two outputs that stay apart."""
    line = contain(host, "", "sh -c 'sha256sum; echo err >&2'")
    data = bytes(range(256)) * 4096
    words = host.ssh_command("-T", host.name, line)
    ran = subprocess.run(words, input=data, capture_output=True, timeout=20 * host.patience, check=True)
    bare = subprocess.run(["sha256sum"], input=data, capture_output=True, check=True)
    assert (ran.stdout, ran.stderr) == (bare.stdout, b"err\n")


def test_ctrl_c_arrives_once(host: Host, terminal: Terminal) -> None:
    """Counted by the program; ^\\ has it tell how often."""
    count = "trap 'n=$((n+1)); echo caught $n' INT; trap 'echo $n in all; exit 5' QUIT"
    running = terminal(contain(host, "", f'sh -c "{count}; echo on; while :; do usleep 100000; done"'.replace("$", r"\$")))
    running.expect_exact("on\r\n")
    for number in (1, 2, 3):
        running.sendintr()
        running.expect_exact(f"caught {number}\r\n")
    running.send("\x1c")
    running.expect_exact("3 in all\r\n")
    assert ended(running)[0] == 5


def test_ctrl_c_ends_a_program_that_knows_no_better(host: Host, terminal: Terminal) -> None:
    """And ssh's status is what it is of the same program bare."""
    statuses = []
    for line in (contain(host, "", "sh -c 'echo on; exec sleep 1000'"), "sudo sh -c 'echo on; exec sleep 1000'"):
        running = terminal(line)
        running.expect_exact("on\r\n")
        running.sendintr()
        statuses.append(ended(running)[0])
    contained, bare = statuses
    assert contained == bare


def test_the_terminals_size_is_seen_and_its_change_told(host: Host, terminal: Terminal) -> None:
    tell = "trap 'echo now $(stty size)' WINCH; echo first $(stty size)"
    running = terminal(contain(host, "", f'sh -c "{tell}; while :; do usleep 100000; done"'.replace("$", r"\$")))
    running.expect_exact(f"first {ROWS} {COLUMNS}\r\n")
    running.setwinsize(40, 120)
    running.expect_exact("now 40 120\r\n")
    running.sendintr()
    ended(running)


def test_a_shell_is_a_shell_with_job_control(host: Host, terminal: Terminal) -> None:
    running = terminal(contain(host, "", "sh"))
    running.expect_exact("/ # ")
    running.sendline("""sh -c 'trap "echo $((6 * 7))" CONT; echo $((5 * 5)); while :; do usleep 100000; done'""")
    running.expect_exact("25\r\n")
    running.send("\x1a")
    running.expect_exact("Stopped")
    running.expect_exact("/ # ")
    running.sendline("fg")
    running.expect_exact("42\r\n")
    running.sendintr()
    running.expect_exact("/ # ")
    running.sendline("exit 3")
    status, said = ended(running)
    assert status == 3
    assert "job control" not in said


def test_a_hang_up_leaves_nothing(host: Host, terminal: Terminal) -> None:
    """The line is cut without a word: what ran behind it ends, and its limits' groups with it."""
    running = terminal(contain(host, "--memory-limit 32MiB --cpu-core-ids 0", "sh -c 'echo on; exec sleep 987654'"))
    running.expect_exact("on\r\n")
    runs = "grep -qs '[s]leep.987654' /proc/[0-9]*/cmdline"
    host.run("sh", "-c", runs)
    running.close(force=True)
    host.until(f"! {runs}", within=10)
    host.until("[ -z \"$(find /sys/fs/cgroup -type d -name 'contain-[0-9]*')\" ]", within=10)


def test_without_sudo_the_user_is_told(host: Host) -> None:
    words = host.ssh_command("-T", host.name, f"{host.contain_path} --chroot {ROOT} -- true")
    ran = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=20 * host.patience)
    assert ran.returncode == 125
    assert re.fullmatch("contain: .* is needed\ncontain: hint: .*root\n", ran.stderr)
