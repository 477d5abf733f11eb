"""Odd rights and cgroups: what contain lacks on this host is named, and nothing is begun."""

import pytest

from tests.integration.harness import cgroups
from tests.integration.harness.bridge import Bridge
from tests.integration.harness.host import Host
from tests.integration.harness.judge import SEVEN, accepted, refused

ROOT_ONLY = ("--memory-limit", "64MiB")
PRIVATE_MOUNTS = ("unshare", "--mount", "--propagation", "private", "sh", "-c")


@pytest.mark.row("B93")
def test_who_is_not_root_is_told(host: Host, public_contain: str) -> None:
    nobody = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    refused(host.finish(*nobody, public_contain, "--chroot", "/", "--", *SEVEN), "(root|CAP_SYS_ADMIN|privilege)")


@pytest.mark.row("B93")
def test_root_without_sys_admin_is_told(host: Host, rootfs: str) -> None:
    less = ("setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin")
    refused(host.finish(*less, host.contain_path, "--chroot", rootfs, "--", *SEVEN), "CAP_SYS_ADMIN")


@pytest.mark.row("B94")
def test_root_without_net_admin_is_told(host: Host, rootfs: str, bridge: Bridge) -> None:
    less = ("setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin")
    words = ("--chroot", rootfs, "--bridge", bridge.name, "--network-address", f"{bridge.next()}/24", "--", *SEVEN)
    refused(host.finish(*less, host.contain_path, *words), "CAP_NET_ADMIN")


@pytest.mark.row("B94")
def test_root_without_sys_resource_is_enough(host: Host, rootfs: str) -> None:
    less = ("setpriv", "--bounding-set", "-sys_resource", "--inh-caps", "-sys_resource")
    accepted(host.finish(*less, host.contain_path, "--chroot", rootfs, *ROOT_ONLY, "--", *SEVEN))


def memory_top(host: Host) -> str:
    """Where the hierarchy with the memory controller is mounted."""
    script = "awk '$3 == \"cgroup\" && $4 ~ /(^|,)memory(,|$)/ {print $2}' /proc/self/mounts"
    v1 = host.shell(script).lines
    return v1[0] if v1 else "/sys/fs/cgroup"


@pytest.mark.row("B95")
def test_a_sealed_cgroup_tree_is_told(host: Host, rootfs: str) -> None:
    script = 'mount -o bind,remount,ro "$0" && exec "$@"'
    words = (host.contain_path, "--chroot", rootfs, *ROOT_ONLY, "--", *SEVEN)
    refused(host.finish(*PRIVATE_MOUNTS, script, memory_top(host), *words), "cgroup.*(read-only|not mounted|memory)")


@pytest.mark.row("B95")
def test_a_missing_cgroup_tree_is_told(host: Host, rootfs: str) -> None:
    script = 'umount -l /sys/fs/cgroup && exec "$@"'
    words = (host.contain_path, "--chroot", rootfs, *ROOT_ONLY, "--", *SEVEN)
    refused(host.finish(*PRIVATE_MOUNTS, script, "sh", *words), "cgroup.*(read-only|not mounted|memory)")


@pytest.mark.row("B96")
def test_where_both_versions_are_mounted_the_one_with_memory_is_used(host: Host, rootfs: str) -> None:
    """A host that has one of them only is lent the other, empty, in a mount namespace of the launch."""
    place = host.new("hierarchy")
    lend = """
        mkdir "$0" && mount -t tmpfs none "$0" && mkdir "$0/other"
        kinds=$(awk '$3 ~ /^cgroup/ {print $3}' /proc/self/mounts | sort -u)
        case $kinds in
            cgroup) mount -t cgroup2 none "$0/other" ;;
            cgroup2) mount -t cgroup -o none,name=tests none "$0/other" ;;
        esac && exec "$@"
    """
    program = ("--chroot", rootfs, *ROOT_ONLY, "--", "sh", "-c", "echo on; cat")
    running = host.start(*PRIVATE_MOUNTS, lend, place, host.contain_path, *program).wait_for("on")
    mounted = host.run("awk", "{print $3}", f"/proc/{running.pid}/mounts").lines
    assert {"cgroup", "cgroup2"} <= set(mounted)
    group = cgroups.of(running, "memory")
    assert group.number("memory.limit_in_bytes", "memory.max") == 64 << 20
    running.close_stdin()
    assert (running.exit_status, running.stderr) == (0, b"")
    host.run("rmdir", place)


@pytest.mark.row("B97")
def test_a_parent_in_which_no_program_can_run_is_told(host: Host, rootfs: str) -> None:
    """On v2 it takes no more groups; v1 knows no such limit, but a group without cores, which nothing can enter."""
    with cgroups.made(host, "cpuset") as group:
        limits = ("--pids-limit", "max", "--cpu-core-ids", "0")
        if group.door != "tasks":
            group.set("cgroup.max.descendants", "0")
        refused(host.contained("--chroot", rootfs, "--cgroup-parent", group.path, *limits, "--", *SEVEN), "cgroup")


@pytest.mark.row("B97")
def test_a_parent_group_that_is_not_there_is_told(host: Host, rootfs: str) -> None:
    refused(host.contained("--chroot", rootfs, "--cgroup-parent", "/no/such/group", *ROOT_ONLY, "--", *SEVEN), "cgroup")
