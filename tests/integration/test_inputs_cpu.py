"""Odd lists of cores: what is not there is refused by its number and never dropped."""

import pytest

from tests.integration.harness import cgroups
from tests.integration.harness.host import Host
from tests.integration.harness.judge import SEVEN, accepted, refused

REFUSED = [
    ("B27", "", "cpu.*empty"),
    ("B28", " ", "cpu"),
    ("B29", "1-0", "cpu.*range"),
    ("B30", "0-", "cpu"),
    ("B30", "-0", "cpu"),
    ("B30", "-1", "cpu"),
    ("B31", "0 1", "cpu"),
    ("B32", "0,,1", "cpu"),
    ("B32", ",0", "cpu"),
    ("B32", "0,", "cpu"),
    ("B33", "all", "cpu"),
    ("B34", "0-1:1/2", "cpu"),
    ("B35", "0x1", "cpu"),
    ("B35", "+0", "cpu"),
    ("B35", "a", "cpu"),
    ("B35", "none", "cpu"),
    ("B35", "0;1", "cpu"),
    ("B35", "0.5", "cpu"),
    ("B36", "99999", "cpu"),
    ("B37", "18446744073709551616", "cpu"),
]


@pytest.mark.anywhere
@pytest.mark.parametrize(("row", "cores", "pattern"), REFUSED)
def test_a_list_that_is_none_is_refused(host: Host, rootfs: str, row: str, cores: str, pattern: str) -> None:
    refused(host.contained("--chroot", rootfs, f"--cpu-core-ids={cores}", "--", *SEVEN), pattern)


@pytest.mark.row("B25")
def test_cores_that_are_not_there_are_named_with_those_that_are(host: Host, rootfs: str) -> None:
    """`3,5-7` where there are two."""
    n = host.cores
    ran = host.contained("--chroot", rootfs, "--cpu-core-ids", f"{n + 1},{n + 3}-{n + 5}", "--", *SEVEN)
    refused(ran, rf"cpu.*({n + 1}|offline|not available).*\b0-{n - 1}\b")


@pytest.mark.row("B26")
def test_one_core_too_many_is_not_dropped(host: Host, rootfs: str) -> None:
    n = host.cores
    refused(host.contained("--chroot", rootfs, "--cpu-core-ids", f"0,{n + 1}", "--", *SEVEN), rf"cpu.*{n + 1}")


@pytest.mark.row("B38")
@pytest.mark.parametrize(("cores", "meant"), [("0,0", "0"), ("0-1,1", "0-1")])
def test_a_core_named_twice_is_one(host: Host, rootfs: str, cores: str, meant: str) -> None:
    script = f"grep -q '^Cpus_allowed_list:.{meant}$' /proc/self/status && exit 7"
    accepted(host.contained("--chroot", rootfs, "--cpu-core-ids", cores, "--", "sh", "-c", script))


@pytest.mark.row("B39")
def test_a_core_that_the_caller_may_not_use_is_refused(host: Host, rootfs: str) -> None:
    """Alone in a group with core 0, where on v2 too there is a place for another group below it."""
    with cgroups.made(host, "cpuset") as group:
        group.set("cpuset.cpus", "0")
        words = ("sh", "-c", f'{group.enter} && exec "$@"', "sh", host.contain_path, "--chroot", rootfs, "--cpu-core-ids")
        accepted(host.finish(*words, "0", "--", *SEVEN))
        refused(host.finish(*words, "1", "--", *SEVEN), "cpu.*not available")


@pytest.mark.row("B39")
def test_a_limit_on_cores_is_not_escaped_in_company(host: Host, rootfs: str) -> None:
    """Where the caller has a brother in its group: v1 makes a group below, and v2, which could not, says no to both cores."""
    with cgroups.made(host, "cpuset") as group:
        group.set("cpuset.cpus", "0")
        words = ("sh", "-c", f'{group.enter} && "$@"; exit $?', "sh", host.contain_path, "--chroot", rootfs, "--cpu-core-ids")
        refused(host.finish(*words, "1", "--", *SEVEN), "cpu.*(not available|would escape)")
        ran = host.finish(*words, "0", "--", *SEVEN)
        if group.door == "tasks":
            accepted(ran)
        else:
            refused(ran, "cpuset.cpus = 0.*would escape")
