"""blame: who is named, by the counters that kernels leave behind; recorded on 6.18 (v1), 6.1 and 6.12 (v2)."""

import os
import posix
from collections.abc import Iterator
from pathlib import Path

import pytest

from contain import blame
from contain.blame import BlameV1, BlameV2

UNLIMITED = 9223372036854771712
LIMIT = 16 << 20
OWN = "memory limit 16 MiB reached, peak 16 MiB"
PARENT = "memory limit 32 MiB of cgroup {}/outer/parent reached"
OUTER = "memory limit 64 MiB of cgroup {}/outer reached"


def put(group: Path, **files: object) -> None:
    """Files of a group; `__` in a name stands for its dot."""
    group.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (group / name.replace("__", ".")).write_text(f"{content}\n", encoding="ascii")


def v1(group: Path, limit: int = UNLIMITED, kills: int = 0, failed: int = 0, peak: int = 0) -> None:
    control = f"oom_kill_disable 0\nunder_oom 0\noom_kill {kills}"
    put(group, memory__oom_control=control, cgroup__event_control="", memory__failcnt=failed, memory__memsw__failcnt=0)
    put(group, memory__limit_in_bytes=limit, memory__max_usage_in_bytes=peak)


def v2(group: Path, limit: object = "max", oom: int = 0, kills: int = 0, below: int = 0, whole: int = 0) -> None:
    counts = "low 0\nhigh 0\nmax {}\noom {}\noom_kill {}\noom_group_kill {}"
    put(group, memory__max=limit, memory__events=counts.format(oom * 30, oom, kills + below, whole))
    put(group, memory__events__local=counts.format(oom * 30, oom, kills, whole))


class V1:
    """A group below two others, whose eventfds the test counts up as the kernel does."""

    def __init__(self, mount: Path) -> None:
        self.mount = mount
        self.own, self.parent, self.outer = (mount / name for name in ("outer/parent/contain-7", "outer/parent", "outer"))
        put(mount, release_agent="")
        v1(self.outer, 64 << 20)
        v1(self.parent, 32 << 20)
        v1(self.own, LIMIT)

    def watch(self) -> BlameV1:
        self.fd = os.open(self.own, os.O_RDONLY)
        self.blame = BlameV1(bytes(self.mount), bytes(self.own), self.fd, LIMIT)
        return self.blame

    def runs_out(self, *groups: Path) -> None:
        """Each of them once: it and all below it are told, from the top down."""
        paths = [os.fsencode(group) for group in (self.own, self.parent, self.outer)]
        for group in groups:
            for at in reversed(range(paths.index(bytes(group)) + 1)):
                if at < len(self.blame.events):
                    os.eventfd_write(self.blame.events[at], 1)

    def close(self) -> None:
        for fd in (*self.blame.events, self.fd):
            os.close(fd)


@pytest.fixture
def nest(tmp_path: Path) -> Iterator[V1]:
    made = V1(tmp_path)
    made.watch()
    yield made
    made.close()


@pytest.mark.parametrize("files_were_cached", [False, True])
@pytest.mark.parametrize(("place", "words"), [("own", OWN), ("parent", PARENT), ("outer", OUTER)])
def test_v1_the_topmost_group_that_was_told_is_named(nest: V1, place: str, words: str, files_were_cached: bool) -> None:
    """Whatever the other counters say: where files are cached the limit is reached all the time."""
    v1(nest.own, LIMIT, kills=1, failed=1000 if files_were_cached else 0, peak=LIMIT)
    v1(nest.parent, 32 << 20, failed=190 if files_were_cached else 0, peak=32 << 20)
    nest.runs_out({"own": nest.own, "parent": nest.parent, "outer": nest.outer}[place])
    assert nest.blame.look(True)
    assert nest.blame.verdict() == words.format(nest.mount)


@pytest.mark.parametrize("place", ["own", "parent", "outer"])
def test_v1_who_was_not_killed_goes_on(nest: V1, place: str) -> None:
    v1(nest.own, LIMIT, failed=1000)
    nest.runs_out({"own": nest.own, "parent": nest.parent, "outer": nest.outer}[place])
    assert not nest.blame.look(True)
    assert nest.blame.verdict() == ""


def test_v1_a_kill_that_follows_its_event_is_awaited_without_sleeping(nest: V1, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(blame, "monotonic", lambda: now)
    assert nest.blame.patience() == -1
    nest.runs_out(nest.parent)
    assert not nest.blame.look(True)
    waits = []
    while (wait := nest.blame.patience()) >= 0:
        waits.append(wait)
        assert not nest.blame.look(False), "it is not time yet"
        now += wait / 1000
        assert not nest.blame.look(False)
    assert waits == sorted(waits)
    assert waits[0] <= 2
    assert 0.5 < sum(waits) / 1000 < 2.5
    nest.runs_out(nest.parent)
    assert not nest.blame.look(True)
    v1(nest.own, LIMIT, kills=1)
    now += 0.01
    assert nest.blame.look(False)
    assert nest.blame.verdict() == PARENT.format(nest.mount)


def test_v1_what_neighbours_died_of_long_ago_is_not_held_against_a_group(nest: V1, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(blame, "monotonic", lambda: now)
    nest.runs_out(nest.parent, nest.parent)
    assert not nest.blame.look(True)
    while (wait := nest.blame.patience()) >= 0:
        now += wait / 1000
        assert not nest.blame.look(False)
    v1(nest.own, LIMIT, kills=1)
    nest.runs_out(nest.outer)
    assert nest.blame.look(True)
    assert nest.blame.verdict() == OUTER.format(nest.mount)


def test_v1_of_two_groups_that_ran_out_together_both_are_listed(nest: V1) -> None:
    v1(nest.own, LIMIT, kills=1)
    nest.runs_out(nest.outer, nest.parent)
    words = f"it can't be told whose memory ran out: {PARENT}; or {OUTER}"
    assert nest.blame.verdict() == words.format(nest.mount, nest.mount)


def test_v1_what_runs_out_after_the_kill_is_no_candidate(nest: V1) -> None:
    v1(nest.own, LIMIT, kills=1)
    nest.runs_out(nest.parent)
    assert nest.blame.look(True)
    nest.runs_out(nest.outer)
    assert nest.blame.verdict() == PARENT.format(nest.mount)


def test_v1_a_limit_of_ones_own_that_ran_out_is_enough(nest: V1) -> None:
    v1(nest.own, LIMIT, kills=1, peak=LIMIT)
    nest.runs_out(nest.parent, nest.own, nest.outer)
    assert nest.blame.verdict() == OWN


def test_v1_an_event_on_its_way_down_is_not_taken_for_one_of_the_groups_own(nest: V1) -> None:
    """The kernel has told the parent and not yet the group; the rest comes with the next look."""
    v1(nest.own, LIMIT, kills=1)
    os.eventfd_write(nest.blame.events[1], 1)
    assert nest.blame.verdict() == PARENT.format(nest.mount)
    os.eventfd_write(nest.blame.events[0], 1)
    assert nest.blame.verdict() == PARENT.format(nest.mount)


def test_v1_a_kill_without_an_event_was_the_machines(nest: V1) -> None:
    v1(nest.own, LIMIT, kills=1)
    assert nest.blame.verdict() == "the machine ran out of memory"


def test_v1_a_kill_without_an_event_may_have_been_a_full_groups(nest: V1) -> None:
    """While one group runs out the kernel does not tell of another."""
    v1(nest.own, LIMIT, kills=1)
    v1(nest.parent, 32 << 20, failed=1, peak=32 << 20)
    words = f"it can't be told whose memory ran out: {PARENT}; or the machine ran out of memory"
    assert nest.blame.verdict() == words.format(nest.mount)


def test_v1_a_kill_below_for_a_limit_of_ours_or_above_counts(nest: V1) -> None:
    v1(nest.own / "below", kills=1)
    nest.runs_out(nest.parent)
    with_subgroup(nest)
    assert nest.blame.look(True)
    assert nest.blame.verdict() == PARENT.format(nest.mount)


def test_v1_a_kill_below_for_a_limit_of_its_own_does_not(nest: V1) -> None:
    v1(nest.own / "below", 8 << 20, kills=1, failed=12)
    nest.runs_out(nest.parent)
    with_subgroup(nest)
    assert not nest.blame.look(True)
    assert nest.blame.verdict() == ""


def with_subgroup(nest: V1) -> None:
    """Of a cgroup's directory, as of any other here, the links tell how many there are below."""
    assert os.fstat(nest.fd).st_nlink > 2


def test_v1_a_group_that_others_removed_is_told_nothing_of(nest: V1) -> None:
    for file in nest.own.iterdir():
        file.unlink()
    nest.own.rmdir()
    os.eventfd_write(nest.blame.event_fd, 1)
    assert not nest.blame.look(True)
    assert nest.blame.verdict() == ""


def test_v1_in_a_part_of_the_hierarchy_a_group_that_cannot_be_seen_is_told_of(tmp_path: Path) -> None:
    made = V1(tmp_path)
    (tmp_path / "release_agent").unlink()
    v1(tmp_path)
    made.watch()
    v1(made.own, LIMIT, kills=1)
    for event in made.blame.events:
        os.eventfd_write(event, 1)
    assert made.blame.verdict() == f"a cgroup above {tmp_path}, which can't be seen from here"
    v1(tmp_path, 1 << 30, failed=5)
    assert made.blame.verdict() == f"memory limit 1 GiB of cgroup {tmp_path} reached"
    made.close()


def test_v1_a_group_above_that_tells_us_nothing_is_suspected_if_it_was_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = V1(tmp_path)
    really = posix.open

    def read_only(path: bytes, flags: int, **how: int) -> int:
        if flags & os.O_WRONLY and path.startswith(bytes(made.outer) + b"/cgroup"):
            raise OSError(30, "Read-only file system")
        return really(path, flags, **how)

    monkeypatch.setattr(posix, "open", read_only)
    made.watch()
    assert len(made.blame.events) == 2
    v1(made.own, LIMIT, kills=1)
    v1(made.outer, 64 << 20, failed=5)
    made.runs_out(made.outer)
    assert made.blame.verdict() == OUTER.format(tmp_path)
    made.close()


@pytest.fixture
def group(tmp_path: Path) -> Path:
    """A v2 group below two others, where one neighbour of it has died already."""
    v2(tmp_path / "outer", 64 << 20)
    v2(tmp_path / "outer/parent", 32 << 20, oom=1, below=1)
    v2(tmp_path / "outer/parent/contain-7", LIMIT)
    put(tmp_path / "outer/parent/contain-7", memory__peak=LIMIT)
    return tmp_path / "outer/parent/contain-7"


def watched(group: Path) -> BlameV2:
    return BlameV2(bytes(group.parents[2]), bytes(group), os.open(group, os.O_RDONLY), LIMIT)


@pytest.mark.parametrize("own_above_and_all", ["", "parent", "outer", "parent outer"])
def test_v2_a_limit_of_ones_own_that_ran_out_is_enough(group: Path, own_above_and_all: str) -> None:
    asked = watched(group)
    v2(group, LIMIT, oom=1, kills=2, whole=1)
    for name in own_above_and_all.split():
        v2(group.parents[("parent", "outer").index(name)], 32 << 20, oom=2)
    assert asked.verdict() == OWN


@pytest.mark.parametrize(
    ("grown", "words"),
    [
        ([0], PARENT),
        ([1], OUTER),
        ([0, 1], f"it can't be told whose memory ran out: {PARENT}; or {OUTER}"),
        ([], "the machine ran out of memory"),
    ],
)
def test_v2_a_group_above_is_named_if_it_ran_out_since_the_start(group: Path, grown: list[int], words: str) -> None:
    asked = watched(group)
    v2(group, LIMIT, kills=2, whole=1)
    for at in grown:
        v2(group.parents[at], (32 << 20, 64 << 20)[at], oom=2, below=3)
    mount = group.parents[2]
    assert asked.verdict() == words.format(mount, mount)


def test_v2_before_linux_5_17_nothing_tells_that_the_whole_group_was_killed(group: Path) -> None:
    asked = watched(group)
    counts = "low 0\nhigh 0\nmax 30\noom 1\noom_kill 2"
    put(group, memory__events=counts, memory__events__local=counts)
    assert asked.verdict() == OWN


def test_v2_who_was_not_killed_is_told_nothing(group: Path) -> None:
    """Nor is who reached his limit and found what he asked for, nor for what was killed below by a limit there."""
    asked = watched(group)
    v2(group, LIMIT, oom=1, below=1)
    v2(group.parent, 32 << 20, oom=3, below=4)
    assert asked.verdict() == ""


def test_v2_a_group_that_others_removed_is_told_nothing_of(group: Path) -> None:
    asked = watched(group)
    for file in group.iterdir():
        file.unlink()
    group.rmdir()
    assert asked.verdict() == ""


def test_v2_a_limit_that_was_lifted_meanwhile_has_no_size(group: Path) -> None:
    asked = watched(group)
    v2(group, LIMIT, kills=1, whole=1)
    v2(group.parent, "max", oom=2)
    assert asked.verdict() == f"memory limit of cgroup {group.parent} reached"


def test_v2_in_a_part_of_the_hierarchy_the_machine_is_not_the_only_one_left(group: Path) -> None:
    mount = group.parents[2]
    put(mount, cgroup__type="domain")
    v2(mount)
    asked = watched(group)
    v2(group, LIMIT, kills=1, whole=1)
    words = f"the machine ran out of memory; or a cgroup above {mount}, which can't be seen from here"
    assert asked.verdict() == f"it can't be told whose memory ran out: {words}"
