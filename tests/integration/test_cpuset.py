"""--cpu-core-ids: the program runs on these cores and on no other."""

import json

import pytest

from tests.integration.harness.host import DRIVERS, Host
from tests.integration.harness.link import PYTHON
from tests.integration.harness.running import Shell

ALLOWED = "sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status"


def test_without_the_flag_all_cores_are_there(host: Host, rootfs: str) -> None:
    bare = host.shell(ALLOWED).line
    assert host.contained("--chroot", rootfs, "--", "sh", "-c", ALLOWED).succeeded().line == bare


@pytest.mark.parametrize("spelling", ["--cpu-core-ids", "--cpu-coreids", "-cpu-core-ids", "-cpu-coreids"])
@pytest.mark.parametrize("joint", [" ", "="])
def test_every_spelling_is_taken(host: Host, rootfs: str, spelling: str, joint: str) -> None:
    words = f"{spelling}{joint}1".split()
    assert host.contained("--chroot", rootfs, *words, "--", "sh", "-c", ALLOWED).succeeded().line == "1"


def test_lists_and_ranges_mean_what_they_say(host: Host, rootfs: str) -> None:
    last = host.cores - 1
    wanted = {"0": "0", "0,1": "0-1", "0-1": "0-1", "1,0": "0-1", f"{last}": f"{last}", f"0-{last}": f"0-{last}"}
    if last >= 3:
        wanted |= {"0,2-3": "0,2-3", "1,3": "1,3"}
    real = {}
    for given in wanted:
        ran = host.contained("--chroot", rootfs, "--cpu-core-ids", given, "--", "sh", "-c", ALLOWED)
        real[given] = ran.succeeded().line
    assert real == wanted


def test_the_program_cannot_widen_it(shell: Shell) -> None:
    inside = shell("--cpu-core-ids", "0")
    inside.attempt("taskset -p ff $$")
    assert inside.succeed(ALLOWED).strip() == "0"


def test_children_inherit_it(shell: Shell) -> None:
    inside = shell("--cpu-core-ids", "1")
    assert inside.succeed(f"sh -c \"sh -c '{ALLOWED.replace(chr(39), '')}'\" || ({ALLOWED})").strip() == "1"


def test_a_spinning_load_lands_on_the_given_core_only(host: Host, shell: Shell) -> None:
    """The last core that each of four spinning processes ran on, looked at eight times."""
    inside = shell("--cpu-core-ids", "1")
    inside.succeed("for i in 1 2 3 4; do sh -c 'while :; do :; done' & done")
    look = "for p in /proc/[0-9]*/stat; do sed 's/.*) //' $p | cut -d' ' -f1,37; done | grep '^R' | cut -d' ' -f2"
    seen: set[str] = set()
    for _ in range(8):
        seen |= set(inside.succeed(look).split())
    assert seen == {"1"}


def test_affinity_is_what_the_program_is_told_and_where_its_load_runs(host: Host, host_tree: tuple[str, ...]) -> None:
    """Asked by sched_getaffinity(2), and by the processor of each of twice as many spinning processes: all given, no other."""
    n = host.cores
    host.put(f"{host_tree[1]}/tmp/spin.py", (DRIVERS / "spin.py").read_bytes())
    for cores in [[1, 3], [0, 2, 3]] if n > 3 else [[n - 1], [0, n - 1]]:
        words = ("--cpu-core-ids", ",".join(map(str, cores)), "--", PYTHON, "-IS", "/tmp/spin.py", f"{20 * host.patience}")
        found = json.loads(host.contained(*host_tree, *words, within=40).succeeded().line)
        assert found == {"told": cores, "ran on": cores}


def test_cores_and_memory_limit_go_together(host: Host, rootfs: str) -> None:
    words = ("--chroot", rootfs, "--cpu-core-ids", "0", "--memory-limit", "32MiB")
    assert host.contained(*words, "--", "sh", "-c", ALLOWED).succeeded().line == "0"
