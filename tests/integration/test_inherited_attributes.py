"""What a caller hands down: the program has it as a bare one has, and no limit is the weaker for it; or the launch is refused.

The attributes and their odd values are the table of drivers/inherits.py. What a refusal says is the attribute's name.
"""

import re
import signal

import pytest

from tests.integration.drivers import inherits
from tests.integration.harness.bridge import Bridge
from tests.integration.harness.host import Host
from tests.integration.harness.judge import SEVEN, accepted, refused

# Of each kind the value that is oddest; of those that need a deed of the launcher's, one for each deed.
USUAL = {kind: list(values)[:1] for kind, values in inherits.KINDS.items()} | {
    "RLIMIT_NOFILE": ["6", "22", "soft 6", "60, 10 left"],
    "RLIMIT_FSIZE": ["0", "soft 0"],
    "policy": ["fifo 1", "rr 3, not on fork", "deadline"],
    "personality": ["0x40000", "0x8"],
    "oom_score_adj": ["500", "-1000"],
    "umask": ["777"],
}
DEEDS = ("RLIMIT_NOFILE: soft 6", "RLIMIT_FSIZE: soft 0", "policy: rr 3, not on fork", "death signal: 15", "affinity: first")
FULL = ("RLIMIT_NOFILE", "RLIMIT_FSIZE")  # of which a launch needs some itself


def judge(found: list[str]) -> None:
    """What this host's root may not set can't be handed down there."""
    assert [line for line in found if "impossible here" not in line] == []


@pytest.mark.parametrize("kind", inherits.KINDS)
def test_an_odd_attribute_is_passed_on_or_refused_by_name(host: Host, kind: str) -> None:
    judge(host.drive("inherits.py", "limits", ";".join(f"{kind}: {value}" for value in USUAL[kind])))


@pytest.mark.parametrize("options", ["none", "tty", "user", "network"])
def test_it_is_so_with_other_options(host: Host, bridge: Bridge, options: str) -> None:
    judge(host.drive("inherits.py", options, ";".join(DEEDS), *network(options, bridge)))


@pytest.mark.exhaustive
@pytest.mark.parametrize("options", list(inherits.SETS))
@pytest.mark.parametrize("kind", inherits.KINDS)
def test_every_value_with_every_option(host: Host, bridge: Bridge, kind: str, options: str) -> None:
    judge(host.drive("inherits.py", options, kind, *network(options, bridge), within=600))


def network(options: str, bridge: Bridge) -> tuple[str, ...]:
    return ("--bridge", bridge.name, "--network-address", f"{bridge.next()}/24") if options == "network" else ()


@pytest.mark.parametrize(("mask", "cores"), [("0", "0,1"), ("1", "0,1"), ("0", "1"), ("1", "0"), ("0,1", "0"), ("0,1", "0-1")])
def test_the_cores_asked_for_are_had_whatever_the_callers_are(host: Host, rootfs: str, mask: str, cores: str) -> None:
    look = ("sed", "-n", "s/^Cpus_allowed_list:[[:space:]]*//p", "/proc/self/status")
    ran = host.finish("taskset", "-c", mask, host.contain_path, "--chroot", rootfs, "--cpu-core-ids", cores, "--", *look)
    assert ran.succeeded().line == cores.replace(",", "-")
    assert ran.errors == ""


@pytest.mark.parametrize("cores", ["0", "1"])
def test_without_cores_asked_for_the_callers_stay(host: Host, rootfs: str, cores: str) -> None:
    look = ("sed", "-n", "s/^Cpus_allowed_list:[[:space:]]*//p", "/proc/self/status")
    words = ("--chroot", rootfs, "--memory-limit", "32MiB", "--", *look)
    assert host.finish("taskset", "-c", cores, host.contain_path, *words).succeeded().line == cores


def test_a_memory_limit_holds_where_the_caller_can_not_be_killed(host: Host, rootfs: str) -> None:
    """oom_score_adj -1000; with it the kernel finds nobody to kill, and on cgroup v2 a hog spins for ever."""
    if host.finish("sh", "-c", "echo -1000 > /proc/self/oom_score_adj").status:
        pytest.skip(f"{host}: root lacks CAP_SYS_RESOURCE there, and can't lower oom_score_adj")
    script = 'echo -1000 > /proc/self/oom_score_adj && exec "$@"'
    words = (host.contain_path, "--chroot", rootfs, "--memory-limit", "16MiB", "--")
    hog = "cat /proc/self/oom_score_adj; exec dd if=/dev/zero of=/dev/null bs=64M count=1"
    ran = host.finish("sh", "-c", script, "sh", *words, "sh", "-c", hog)
    assert ran.status == -9, ran
    assert ran.lines == ["-999"]
    assert "contain: warning: oom_score_adj is -1000" in ran.errors
    assert "killed: memory limit 16 MiB reached" in ran.errors
    # Without a limit there is nothing to disarm.
    plain = (*words[:3], "--", "cat", "/proc/self/oom_score_adj")
    ran = host.finish("sh", "-c", script, "sh", *plain)
    assert (ran.line, ran.errors) == ("-1000", "")


@pytest.mark.parametrize("kind", FULL)
def test_at_the_very_limit_that_the_refusal_names_everything_works(
    host: Host, host_tree: tuple[str, ...], bridge: Bridge, kind: str
) -> None:
    """All that a launch may open, at once."""
    words = (
        *("--chroot", "/", "--memory-limit", "32MiB", "--cpu-core-ids", "0", "--tty", "--pids-limit", "50"),
        *("--bind", "/usr:/mnt", "--tmpfs", "/opt", "--bind", "/usr:/opt/a", "--tmpfs", "/srv", "--bind", "/etc:/opt/b:ro"),
        *(
            "--bridge",
            bridge.name,
            "--network-address",
            f"{bridge.next()}/24",
            "--hostname",
            "x",
            "--user",
            "1000",
            "--",
            *SEVEN,
        ),
    )
    option = "--nofile" if kind == "RLIMIT_NOFILE" else "--fsize"
    ran = host.finish("prlimit", f"{option}={5 if kind == 'RLIMIT_NOFILE' else 0}", host.contain_path, *words)
    numbers = [int(number) for number in re.findall(r"\d+", ran.errors.splitlines()[0])]
    needed = sum(numbers[1:]) if kind == "RLIMIT_NOFILE" else numbers[-1]
    refused(host.finish("prlimit", f"{option}={needed - 1}", host.contain_path, *words), str(needed - 1))
    ran = host.finish("prlimit", f"{option}={needed}", host.contain_path, *words)
    assert ran.status == 7, ran


def test_a_refusal_comes_before_anything_is_made(host: Host, own_rootfs: str) -> None:
    host.shell('rmdir "$1/proc" "$1/dev" 2>/dev/null || true', own_rootfs)
    words = (host.contain_path, "--chroot", own_rootfs, "--memory-limit", "32MiB", "--cpu-core-ids", "0", "--", *SEVEN)
    before = host.run("ls", own_rootfs).lines
    for limit, said in (("--nofile=6", "limit of open files"), ("--fsize=0", "limit of the file size")):
        refused(host.finish("prlimit", limit, *words), said)
        assert host.run("ls", own_rootfs).lines == before


def test_a_refusal_that_no_file_may_hold_is_one_by_its_status(host: Host, rootfs: str) -> None:
    """Standard error is a file, which must not grow: bare, too, nothing would be said there."""
    script = '"$@" 2>"$0"; status=$?; rm "$0"; exit $status'
    words = ("prlimit", "--fsize=0", host.contain_path, "--chroot", rootfs, "--", *SEVEN)
    assert host.finish("sh", "-c", script, host.new("said"), *words).status == 125


@pytest.mark.parametrize("limit", ["as", "data", "stack"])
def test_with_too_little_memory_it_runs_or_says_that_it_does_not(host: Host, rootfs: str, limit: str) -> None:
    """From some 13 MiB on contain does so; with less Python says it or the kernel ends it, before a line of contain is read."""
    for mebibytes in (0, 4, 11, 12, 13, 14, 16, 32):
        ran = host.finish("prlimit", f"--{limit}={mebibytes << 20}", host.contain_path, "--chroot", rootfs, "--", *SEVEN)
        assert ran.status != 0, ran
        if ran.status == 7:
            accepted(ran)
        elif ran.status == 125:
            refused(ran, "", 125)
        else:
            assert ran.status in (1, 127, -signal.SIGABRT, -signal.SIGSEGV), ran
            assert "contain/" not in ran.errors, "Python has not come so far as to load the package"
