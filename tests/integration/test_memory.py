"""--memory-limit: the group has that much and no swap; over it everything in it dies, and the user is told."""

import signal
import time

import pytest

from tests.integration.harness import cgroups
from tests.integration.harness.host import Host
from tests.integration.harness.running import Shell

HOG = "dd if=/dev/zero of=/dev/null bs={size} count=1 2>/dev/null"  # a buffer of that size, all of it written

BIG = ("dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1")


@pytest.mark.parametrize(
    ("size", "limit"),
    [("16MiB", 16 << 20), ("16M", 16 << 20), ("16MB", None), ("16777216", 16 << 20), ("20480k", 20 << 20)],
)
def test_the_limit_in_the_kernel_is_the_one_asked_for(shell: Shell, size: str, limit: int | None) -> None:
    """16 MB is no whole number of pages: the kernel may round down by less than one, never up."""
    real = cgroups.of(shell("--memory-limit", size), "memory").number("memory.limit_in_bytes", "memory.max")
    assert real == limit if limit else 16_000_000 - 4096 < real <= 16_000_000


def test_swap_is_closed(host: Host, shell: Shell) -> None:
    """v1 limits memory and swap together, v2 swap alone; a v2 kernel without swap has no file for it."""
    group = cgroups.of(shell("--memory-limit", "16MiB"), "memory")
    if host.finish("test", "-e", f"{group.folder}/memory.limit_in_bytes").status == 0:
        assert group.number("memory.memsw.limit_in_bytes") == 16 << 20
    else:
        assert group.number("memory.swap.max") == 0


def test_without_the_flag_memory_is_not_limited(host: Host, rootfs: str) -> None:
    host.contained("--chroot", rootfs, "--", "sh", "-c", HOG.format(size=64 << 20)).succeeded()


def test_below_the_limit_the_program_lives(host: Host, rootfs: str) -> None:
    words = ("--chroot", rootfs, "--memory-limit", "64MiB")
    host.contained(*words, "--", "sh", "-c", HOG.format(size=16 << 20)).succeeded()


def test_over_the_limit_the_program_is_killed_and_the_user_told(host: Host, rootfs: str) -> None:
    ran = host.contained("--chroot", rootfs, "--memory-limit", "16MiB", "--", *BIG)
    assert ran.status == -signal.SIGKILL
    lines = [line for line in ran.errors.splitlines() if line.startswith("contain: killed: memory limit")]
    assert len(lines) == 1, ran
    assert "16 MiB" in lines[0]
    assert "reached" in lines[0]


def until_killed(host: Host) -> str:
    """What a survivor has to do before it speaks: on v2 the kernel kills the group as one, on v1 the launcher does after it."""
    return "sleep 1; " if host.finish("test", "-e", "/sys/fs/cgroup/memory/tasks").status == 0 else ""


def test_the_whole_group_dies(host: Host, rootfs: str) -> None:
    """A child that is over the limit takes its parent and its brothers with it."""
    script = f"sleep 1000 & dd if=/dev/zero of=/dev/null bs=64M count=1; {until_killed(host)}echo survived $?; exit 3"
    ran = host.contained("--chroot", rootfs, "--memory-limit", "16MiB", "--", "sh", "-c", script)
    assert ran.status == -signal.SIGKILL
    assert b"survived" not in ran.stdout
    assert "contain: killed: memory limit" in ran.errors


def test_a_neighbour_is_unharmed(host: Host, rootfs: str, shell: Shell) -> None:
    """Nor is what it has in memory lost, or its share made smaller."""
    neighbour = shell("--memory-limit", "16MiB")
    neighbour.succeed("head -c 8m /dev/urandom > /dev/shm/kept")
    kept = neighbour.succeed("md5sum /dev/shm/kept")
    ran = host.contained("--chroot", rootfs, "--memory-limit", "16MiB", "--", *BIG)
    assert ran.status == -signal.SIGKILL
    assert neighbour.succeed("md5sum /dev/shm/kept") == kept
    neighbour.close_stdin()
    assert (neighbour.exit_status, neighbour.stderr) == (0, b"")


def test_the_hosts_log_names_the_group_that_was_out_of_memory(host: Host, shell: Shell) -> None:
    """The kernel tells of ten in five seconds at most, whoever has them killed: more than one is tried, for two such spans."""
    untold = []
    deadline = time.monotonic() + 10 * host.patience
    while time.monotonic() < deadline:
        running = shell("--memory-limit", "16MiB")
        told = f"oom-kill:.*/{cgroups.of(running, 'memory').name}[,/]"
        before = host.finish("sh", "-c", 'dmesg | grep -c "$1"', "sh", told).line  # a number may come again
        running.write(f"exec {' '.join(BIG)}\n")
        assert running.exit_status == -signal.SIGKILL
        if host.finish("sh", "-c", '[ "$(dmesg | grep -c "$1")" -gt "$2" ]', "sh", told, before).status == 0:
            return
        untold.append(told)
        time.sleep(0.5)
    pytest.fail(f"the log of {host} has none of {untold}")


def test_files_in_memory_count(host: Host, rootfs: str) -> None:
    script = f"dd if=/dev/zero of=/dev/shm/file bs=1M count=64 2>/dev/null; {until_killed(host)}echo survived"
    ran = host.contained("--chroot", rootfs, "--memory-limit", "16MiB", "--", "sh", "-c", script)
    assert ran.status == -signal.SIGKILL
    assert b"survived" not in ran.stdout


def test_one_megabyte_suffices_for_a_small_program(host: Host, rootfs: str) -> None:
    """Ten times, with the program's file dropped from the page cache before each."""
    for _ in range(10):
        host.shell('dd of="$1" oflag=nocache conv=notrunc,fdatasync count=0 2>/dev/null', f"{rootfs}/bin/busybox")
        ran = host.contained("--chroot", rootfs, "--memory-limit", "1MB", "--", "echo", "fits", within=5)
        assert ran.succeeded().line == "fits"


@pytest.mark.parametrize("status", [0, 1, 137])
def test_a_program_that_ends_by_itself_is_not_called_killed(host: Host, rootfs: str, status: int) -> None:
    words = ("--chroot", rootfs, "--memory-limit", "16MiB")
    ran = host.contained(*words, "--", "sh", "-c", f"exit {status}")
    assert (ran.status, ran.errors) == (status, "")


def test_a_program_killed_by_another_hand_is_not_called_out_of_memory(host: Host, rootfs: str) -> None:
    ran = host.contained("--chroot", rootfs, "--memory-limit", "16MiB", "--", "sh", "-c", "kill -KILL $$")
    assert (ran.status, ran.errors) == (-signal.SIGKILL, "")


def test_reading_many_files_is_not_called_out_of_memory(host: Host, own_rootfs: str) -> None:
    """The cache of files is charged to the group, and given up before anybody dies."""
    host.run("dd", "if=/dev/zero", f"of={own_rootfs}/big", "bs=1M", "count=64")
    ran = host.contained("--chroot", own_rootfs, "--memory-limit", "16MiB", "--", "wc", "-c", "/big")
    assert (ran.status, ran.errors) == (0, "")
