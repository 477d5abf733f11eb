"""stdin, stdout and stderr are the program's: every byte, every end, every error."""

import signal

import pytest

from tests.integration.harness.host import Host


def test_every_byte_is_the_same(host: Host, rootfs: str) -> None:
    script = """
        head -c 64M /dev/urandom > "$0/random"
        sha256sum < "$0/random"; "$@" < "$0/random" | sha256sum
        rm "$0/random"
    """
    words = (host.contain_path, "--chroot", rootfs, "--", "cat")
    bare, contained = host.run("sh", "-c", script, host.folder, *words, within=60).lines
    assert contained == bare


def test_stderr_is_the_programs_alone(host: Host, rootfs: str) -> None:
    ran = host.contained("--chroot", rootfs, "--", "sh", "-c", "echo out; echo err >&2")
    assert (ran.status, ran.stdout, ran.stderr) == (0, b"out\n", b"err\n")


def test_the_end_of_input_reaches_the_program(host: Host, rootfs: str) -> None:
    running = host.contain("--chroot", rootfs, "--", "sh", "-c", "echo on; cat; echo end").wait_for("on")
    running.write("word\n")
    running.wait_for("word").close_stdin()
    assert running.finished().stdout == b"on\nword\nend\n"


def test_contain_reads_no_byte_of_the_input(host: Host, rootfs: str) -> None:
    script = 'printf "one\\ntwo\\n" | { "$@"; cat; }'
    words = ("--chroot", rootfs, "--", "dd", "bs=4", "count=1", "status=none")
    assert host.shell(script, host.contain_path, *words).lines == ["one", "two"]


def test_output_ends_with_the_program_not_with_what_it_left(host: Host, rootfs: str) -> None:
    script = 'timeout 10 "$@" | cat; echo ended'
    words = ("--chroot", rootfs, "--", "sh", "-c", "sleep 1000 & echo done")
    assert host.shell(script, host.contain_path, *words, within=5).lines == ["done", "ended"]


@pytest.mark.row("B98")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
def test_closed_streams_become_dev_null(host: Host, rootfs: str, closed: str) -> None:
    """Else the first file that the program opens would be its stdin or stdout."""
    numbers = {"<": 0, ">": 1, "2": 2}
    look = "".join(f"[ -c /proc/$$/fd/{numbers[part[0]]} ] && " for part in closed.split())
    words = ("--chroot", rootfs, "--", "sh", "-c", f"{look} exit 7")
    assert host.finish("sh", "-c", f'"$@" {closed}', "sh", host.contain_path, *words).status == 7


@pytest.mark.row("B99")
def test_a_full_device_is_the_programs_affair(host: Host, rootfs: str) -> None:
    script = '"$@" > /dev/full'
    bare = host.finish("sh", "-c", script, "sh", f"{rootfs}/bin/busybox", "echo", "x")
    ran = host.finish("sh", "-c", script, "sh", host.contain_path, "--chroot", rootfs, "--", "echo", "x")
    assert bare.status != 0
    assert (ran.status, ran.stderr) == (bare.status, bare.stderr)


@pytest.mark.row("B99")
def test_a_closed_pipe_kills_the_program_and_the_launcher_by_sigpipe(host: Host, rootfs: str) -> None:
    script = '{ "$@"; echo "$?" >&2; } | head -n 1'
    ran = host.shell(script, host.contain_path, "--chroot", rootfs, "--", "yes")
    assert ran.stdout == b"y\n"
    assert int(ran.errors.split()[-1]) == 128 + signal.SIGPIPE


def test_flags_of_the_callers_streams_stay(host: Host, rootfs: str) -> None:
    script = 'flags="grep flags /proc/self/fdinfo/0"; $flags; "$@"; $flags'
    look = ("--chroot", rootfs, "--", "grep", "flags", "/proc/self/fdinfo/0")
    assert len(set(host.shell(script, host.contain_path, *look).lines)) == 1


def test_other_descriptors_are_closed(host: Host, rootfs: str) -> None:
    script = 'exec 3</etc/hostname 5</etc/hostname 9</ ; exec "$@"'
    inside = "for n in 3 4 5 6 7 8 9; do [ ! -e /proc/$$/fd/$n ] || echo $n; done"
    words = ("--chroot", rootfs, "--", "sh", "-c", inside)
    assert host.shell(script, host.contain_path, *words).text == ""


def test_preserved_descriptors_are_passed_on(host: Host, rootfs: str) -> None:
    """`--preserve-fds 2` keeps 3 and 4."""
    script = 'echo three > "$0/3"; exec 3<"$0/3" 4</etc/hostname 5</etc/hostname; exec "$@"'
    inside = "for n in 3 4 5; do [ ! -e /proc/$$/fd/$n ] || echo $n; done; cat <&3"
    words = ("--chroot", rootfs, "--preserve-fds", "2", "--", "sh", "-c", inside)
    assert host.run("sh", "-c", script, host.folder, host.contain_path, *words).lines == ["3", "4", "three"]
