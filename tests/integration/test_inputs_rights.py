"""Odd rights and cgroups: what contain lacks on this host is named, and nothing is begun."""

import pytest

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
    kinds = host.shell("awk '$3 ~ /^cgroup/ {print $3}' /proc/self/mounts | sort -u").lines
    if kinds != ["cgroup", "cgroup2"]:
        pytest.skip(f"{host} has one version of cgroups only")
    running = host.contain("--chroot", rootfs, *ROOT_ONLY, "--", "sh", "-c", "echo on; cat").wait_for("on")
    host.until('grep -q "memory:.*/contain" /proc/$(cat /proc/$1/task/$1/children | cut -d" " -f2)/cgroup', str(running.pid))


@pytest.mark.row("B97")
def test_a_tree_that_takes_no_more_groups_is_told(host: Host, rootfs: str) -> None:
    group = "/sys/fs/cgroup/tests-of-containers"
    if host.finish("test", "-e", "/sys/fs/cgroup/cgroup.controllers").status != 0:
        pytest.skip(f"{host} has cgroups of version 1, which know no limit on their number")
    host.shell('mkdir "$1" && echo 0 > "$1/cgroup.max.descendants"', group)
    try:
        ran = host.contained("--chroot", rootfs, "--cgroup-parent", "/tests-of-containers", *ROOT_ONLY, "--", *SEVEN)
        refused(ran, "cgroup")
    finally:
        host.run("rmdir", group)


@pytest.mark.row("B97")
def test_a_parent_group_that_is_not_there_is_told(host: Host, rootfs: str) -> None:
    refused(host.contained("--chroot", rootfs, "--cgroup-parent", "/no/such/group", *ROOT_ONLY, "--", *SEVEN), "cgroup")
