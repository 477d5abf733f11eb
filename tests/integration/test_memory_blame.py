"""Whose memory ran out: who had no part in it lives and is told nothing; who is killed is told whose limit it was."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.harness import cgroups
from tests.integration.harness.host import Host
from tests.integration.harness.running import Finished, Running

# An outer group with an inner one in it, and in each a place for processes that are not contained.
MAKE = """
set -e
top=/sys/fs/cgroup/memory
if [ ! -e $top/tasks ]; then top=/sys/fs/cgroup; echo +memory > $top/cgroup.subtree_control; fi
for group in "$1" "$1/inner"; do
    mkdir $top/$group
    [ -e $top/tasks ] || echo +memory > $top/$group/cgroup.subtree_control
    mkdir $top/$group/bare
done
echo $top/$1
"""
REMOVE = 'for group in inner/bare inner bare ""; do [ ! -e "$1/$group" ] || rmdir "$1/$group" || exit 1; done'
LIMIT = """
if [ -e "$1/memory.max" ]; then echo $2 > "$1/memory.max"; exit; fi
echo $2 > "$1/memory.limit_in_bytes" && echo $2 > "$1/memory.memsw.limit_in_bytes"
"""
SMALL, LARGE = 32 << 20, 512 << 20
EAT = "dd if=/dev/zero of=/dev/null bs=128M count=1 2>/dev/null"  # a buffer of that size, all of it written
CACHE = "dd if=/dev/zero of={} bs=1M count=64 conv=fsync 2>/dev/null && wc -c {} >/dev/null"
DIES = -signal.SIGKILL


class Nest:
    """The two groups on the host, with limits that can be set, and who lives in them."""

    def __init__(self, host: Host, outer: str, rootfs: str) -> None:
        self.host, self.outer, self.rootfs = host, outer, rootfs
        self.inner = f"{outer}/inner"

    def limit(self, group: str, size: int) -> None:
        self.host.shell(LIMIT, group, str(size))

    def words(self, limit: str, *program: str) -> list[str]:
        parent = self.inner.removeprefix("/sys/fs/cgroup").removeprefix("/memory")
        options = ["--chroot", self.rootfs, "--cgroup-parent", parent, "--pids-limit", "max", "--memory-limit", limit]
        return [*options, "--", *program]

    def contained(self, limit: str, script: str) -> Finished:
        return self.host.contained(*self.words(limit, "sh", "-c", script))

    def shell(self, limit: str = "1GiB") -> Running:
        running = self.host.contain(*self.words(limit, "sh"))
        running.succeed(":")
        return running

    def bare(self, group: str, script: str = EAT) -> Finished:
        """A process of the host's in `group`."""
        return self.host.finish("sh", "-c", f'echo 0 > "$1/cgroup.procs" && exec {script}', "sh", f"{group}/bare")


@pytest.fixture
def nest(host: Host, rootfs: str) -> Iterator[Nest]:
    outer = host.shell(MAKE, f"tests-of-{Path(host.folder).suffix.removeprefix('.')}").line
    made = Nest(host, outer, rootfs)
    try:
        yield made
    finally:
        host.end_all()
        host.until(REMOVE, outer)


def lives(running: Running, status: int = 7) -> None:
    """A contained shell is there, does what it is told, and ends as it wants to, without a word of contain's."""
    assert running.succeed("echo here") == "here\n"
    running.write(f"exit {status}\n")
    assert (running.exit_status, running.stderr) == (status, b"")


def killed(ran: Finished, told: str) -> None:
    assert (ran.status, ran.errors.splitlines()) == (DIES, [f"contain: killed: {told}"])


def own(ran: Finished) -> None:
    assert ran.status == DIES
    assert ran.errors.startswith("contain: killed: memory limit 16 MiB reached"), ran
    assert len(ran.errors.splitlines()) == 1


def itself(nest: Nest) -> None:
    own(nest.contained("16MiB", f"exec {EAT}"))


def a_child_of_the_program(nest: Nest) -> None:
    own(nest.contained("16MiB", f"{EAT}; sleep 1000"))


def a_contained_neighbour(nest: Nest) -> None:
    nest.limit(nest.inner, SMALL)
    killed(nest.contained("1GiB", f"exec {EAT}"), f"memory limit 32 MiB of cgroup {nest.inner} reached")


def a_child_of_a_contained_neighbour(nest: Nest) -> None:
    nest.limit(nest.inner, SMALL)
    killed(nest.contained("1GiB", f"{EAT}; sleep 1000"), f"memory limit 32 MiB of cgroup {nest.inner} reached")


def a_contained_neighbour_two_groups_up(nest: Nest) -> None:
    nest.limit(nest.outer, SMALL)
    nest.limit(nest.inner, LARGE)
    killed(nest.contained("1GiB", f"exec {EAT}"), f"memory limit 32 MiB of cgroup {nest.outer} reached")


def a_stranger_beside_them(nest: Nest) -> None:
    nest.limit(nest.inner, SMALL)
    assert nest.bare(nest.inner).status == DIES


def a_stranger_two_groups_up(nest: Nest) -> None:
    nest.limit(nest.outer, SMALL)
    assert nest.bare(nest.outer).status == DIES


def a_stranger_with_a_limit_of_its_own(nest: Nest) -> None:
    nest.limit(f"{nest.inner}/bare", SMALL)
    assert nest.bare(nest.inner).status == DIES


Hog = Callable[[Nest], None]
HOGS: list[Hog] = [
    itself, a_child_of_the_program,
    a_contained_neighbour, a_child_of_a_contained_neighbour, a_contained_neighbour_two_groups_up,
    a_stranger_beside_them, a_stranger_two_groups_up, a_stranger_with_a_limit_of_its_own,
]  # fmt: skip


@pytest.mark.parametrize("hog", HOGS, ids=lambda hog: hog.__name__)
def test_only_who_asks_for_too_much_dies_and_is_told_whose_limit_it_was(nest: Nest, hog: Hog) -> None:
    neighbours = [nest.shell("16MiB"), nest.shell()]
    hog(nest)
    for status, neighbour in enumerate(neighbours, 7):
        lives(neighbour, status)


def test_a_launcher_in_the_group_that_ran_out_names_it(nest: Nest) -> None:
    """Without --cgroup-parent: the group is made below the launcher's own, or beside it."""
    nest.limit(nest.inner, SMALL)
    words = ("--chroot", nest.rootfs, "--pids-limit", "max", "--memory-limit", "1GiB", "--", "sh", "-c", f"exec {EAT}")
    enter = 'cd "$1"; [ -e tasks ] || cd bare; echo 0 > cgroup.procs; cd /; shift; exec "$@"'
    ran = nest.host.finish("sh", "-c", enter, "sh", nest.inner, nest.host.contain_path, *words)
    # On v2 it is alone in `bare`, to which nothing but the inner group's limit applies.
    killed(ran, f"memory limit 32 MiB of cgroup {nest.inner} reached")


def test_many_neighbours_may_die_one_after_another(nest: Nest) -> None:
    """And who lives through all of it is told the right limit when it is his turn, whatever was reached before."""
    nest.limit(nest.inner, SMALL)
    neighbour, late = nest.shell(), nest.shell("16MiB")
    for _ in range(5):
        assert nest.bare(nest.inner).status == DIES
    lives(neighbour)
    late.write(f"exec {EAT}\n")
    own(late.finished())


def test_a_limit_that_is_set_or_changed_later_is_told_as_it_is(nest: Nest) -> None:
    running = nest.shell()
    nest.limit(nest.outer, SMALL)
    running.write(f"exec {EAT}\n")
    killed(running.finished(), f"memory limit 32 MiB of cgroup {nest.outer} reached")


def test_a_group_that_is_full_of_files_has_not_run_out(nest: Nest, host: Host) -> None:
    """The cache of files fills every group up to its limit, and is given up for the asking: that is no reason to be named."""
    file = host.new("cache")
    nest.limit(nest.outer, LARGE)
    nest.limit(nest.inner, SMALL)
    running = nest.shell("16MiB")
    try:
        nest.bare(nest.inner, f"sh -c '{CACHE.format(file, file)}'").succeeded()
        running.write(f"exec {EAT}\n")
        own(running.finished())
    finally:
        host.run("rm", file)


def test_a_program_that_is_full_of_files_is_not_named_for_the_group_above(nest: Nest, host: Host, own_rootfs: str) -> None:
    nest.limit(nest.outer, LARGE)
    nest.rootfs = own_rootfs
    running = nest.shell("40MiB")
    running.succeed(CACHE.format("/cache", "/cache"))
    nest.limit(nest.inner, 24 << 20)
    running.write(f"exec {EAT.replace('128M', '36M')}\n")
    killed(running.finished(), f"memory limit 24 MiB of cgroup {nest.inner} reached")


def test_a_kill_by_another_hand_while_others_memory_runs_out_is_not_called_so(nest: Nest) -> None:
    """The launcher learns of both at once."""
    nest.limit(nest.inner, SMALL)
    running = nest.shell()
    running.signal("STOP")
    running.write("kill -KILL $$\n")
    assert nest.bare(nest.inner).status == DIES
    running.signal("CONT")
    assert (running.exit_status, running.stderr) == (DIES, b"")


@pytest.mark.parametrize("status", [0, 7, "KILL"])
def test_a_group_that_is_emptied_and_removed_by_others_has_not_run_out(nest: Nest, status: int | str) -> None:
    """What becomes of the program then is its own affair, and its status passed on."""
    running = nest.shell("16MiB")
    group = cgroups.of(running, "memory").folder
    move = 'for pid in $(cat "$1/cgroup.procs"); do echo $pid > "$2/cgroup.procs"; done; rmdir "$1"'
    nest.host.until(move, group, f"{nest.inner}/bare")
    running.succeed(":")
    running.write("kill -KILL $$\n" if status == "KILL" else f"exit {status}\n")
    assert (running.exit_status, running.stderr) == (DIES if status == "KILL" else status, b"")


def test_a_group_below_that_runs_out_takes_nobody_along(nest: Nest) -> None:
    """A stranger in a group that others made below the program's. On v2 there can be none: the program is in its own."""
    running = nest.shell()
    below = f"{cgroups.of(running, 'memory').folder}/below"
    nest.host.run("mkdir", below)
    try:
        if nest.host.finish("test", "-e", f"{below}/memory.oom_control").status == 0:
            nest.limit(below, SMALL)
            hog = nest.host.finish("sh", "-c", f'echo 0 > "$1/cgroup.procs" && exec {EAT}', "sh", below)
            assert hog.status == DIES
        else:
            enable = nest.host.finish("sh", "-c", 'echo +memory > "$1/../cgroup.subtree_control"', "sh", below)
            assert enable.status != 0, "there can be one: make it run out"
    finally:
        nest.host.until('rmdir "$1"', below)
    lives(running)


def test_a_limit_kills_where_the_group_above_was_told_not_to(nest: Nest) -> None:
    """On v1 a new group inherits memory.oom_control: who is over the limit would wait for ever. v2 has nothing like it."""
    nest.host.shell('[ ! -e "$1/memory.oom_control" ] || echo 1 > "$1/memory.oom_control"', nest.inner)
    own(nest.contained("16MiB", f"exec {EAT}"))
