"""The walls that stand without being asked for: capabilities, no_new_privs, /proc, /dev, namespaces, process count."""

import pytest

from tests.integration.harness.bridge import Neighbour
from tests.integration.harness.host import Host
from tests.integration.harness.running import Shell

CAPABILITIES = {"chown": 0, "dac_override": 1, "fowner": 3, "fsetid": 4, "kill": 5, "setgid": 6, "setuid": 7}
CAPABILITIES |= {"net_bind_service": 10, "sys_chroot": 18}
USUAL = sum(1 << number for number in CAPABILITIES.values())
NET_RAW = 1 << 13


def field(text: str, name: str) -> str:
    return next(line.split(maxsplit=1)[1] for line in text.splitlines() if line.startswith(f"{name}:"))


def test_the_program_has_nine_capabilities_and_can_gain_none(shell: Shell) -> None:
    status = shell().succeed("cat /proc/self/status")
    sets = {name: int(field(status, name), 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
    assert sets == {"CapInh": 0, "CapPrm": USUAL, "CapEff": USUAL, "CapBnd": USUAL, "CapAmb": 0}


def test_with_a_network_it_may_ping_besides(pair: tuple[Neighbour, Neighbour]) -> None:
    status = pair[0].succeed("cat /proc/self/status")
    assert {int(field(status, name), 16) for name in ("CapPrm", "CapEff", "CapBnd")} == {USUAL | NET_RAW}


def test_another_user_has_no_capability_at_work(host: Host, rootfs: str) -> None:
    ran = host.contained("--chroot", rootfs, "--user", "1234", "--", "cat", "/proc/self/status").succeeded()
    assert {int(field(ran.text, name), 16) for name in ("CapPrm", "CapEff", "CapInh", "CapAmb")} == {0}


def test_the_init_has_no_capability(shell: Shell) -> None:
    status = shell().succeed("cat /proc/1/status")
    assert {int(field(status, name), 16) for name in ("CapPrm", "CapEff", "CapInh", "CapAmb", "CapBnd")} == {0}


def test_no_new_privileges(shell: Shell) -> None:
    assert field(shell().succeed("cat /proc/self/status"), "NoNewPrivs") == "1"


def test_allow_setuid_lets_privileges_be_gained(shell: Shell) -> None:
    assert field(shell("--allow-setuid").succeed("cat /proc/self/status"), "NoNewPrivs") == "0"


def test_the_init_tells_nothing_of_the_host(shell: Shell) -> None:
    inside = shell()
    assert inside.succeed("tr '\\0' ' ' < /proc/1/cmdline").strip() == "init"
    assert inside.succeed("cat /proc/1/environ 2>/dev/null || :") == ""
    open_there = inside.succeed("for fd in /proc/1/fd/*; do readlink $fd 2>/dev/null; done; :").split()
    assert not [name for name in open_there if not name.startswith("pipe:")]
    inside.fail("cat /proc/1/exe")


def test_only_its_own_processes_are_seen(shell: Shell) -> None:
    assert shell().succeed("echo /proc/[0-9]*").split() == ["/proc/1", "/proc/2"]


@pytest.mark.parametrize("kind", ["mnt", "pid", "net", "ipc", "uts", "cgroup"])
def test_each_namespace_is_its_own(host: Host, shell: Shell, kind: str) -> None:
    bare = host.run("readlink", f"/proc/self/ns/{kind}").line
    one, other = (shell().succeed(f"readlink /proc/self/ns/{kind}").strip() for _ in range(2))
    assert len({bare, one, other}) == 3


def test_cgroup_paths_of_the_host_are_out_of_sight(host: Host, shell: Shell) -> None:
    shown = shell("--memory-limit", "32MiB", "--cpu-core-ids", "0").succeed("cat /proc/self/cgroup")
    assert "contain" not in shown
    assert {line.split(":")[2] for line in shown.splitlines() if "memory" in line or "cpuset" in line} <= {"/"}


@pytest.mark.parametrize("path", ["/proc/sys/kernel/hostname", "/proc/sys/vm/swappiness", "/proc/sysrq-trigger"])
def test_the_kernels_switches_cannot_be_written(host: Host, shell: Shell, path: str) -> None:
    """Where the kernel has no such switch, none can be made."""
    there = host.finish("test", "-e", path).status == 0
    assert ("Read-only" if there else "can't create") in shell().fail(f"echo x > {path}")


@pytest.mark.parametrize("path", ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/latency_stats"])
def test_what_tells_of_the_host_is_masked(host: Host, shell: Shell, path: str) -> None:
    """Not every kernel has each of them."""
    there = host.finish("test", "-e", path).status == 0
    seen = shell().succeed(f"[ -e {path} ] && head -c 16 {path} | wc -c || echo none")
    assert seen.strip() == ("0" if there else "none")


def test_there_is_no_sys_or_it_is_sealed(shell: Shell) -> None:
    inside = shell()
    inside.fail("echo 1 > /sys/kernel/uevent_helper")
    assert inside.succeed("ls /sys/fs/cgroup 2>/dev/null | wc -l").strip() == "0"


def test_dev_holds_six_devices_and_nothing_of_the_hosts(shell: Shell) -> None:
    inside = shell()
    devices = inside.succeed("find /dev -type c ! -path '/dev/pts/*' | sort").split()
    assert devices == [f"/dev/{name}" for name in ("full", "null", "random", "tty", "urandom", "zero")]
    assert inside.succeed("find /dev -type b") == ""
    numbers = inside.succeed("stat -c %t:%T /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty").split()
    assert numbers == ["1:3", "1:5", "1:7", "1:8", "1:9", "5:0"]
    inside.succeed("[ -c /dev/ptmx ] && [ -d /dev/shm ] && touch /dev/shm/file")


@pytest.mark.parametrize("deed", ["mknod /root/disk b 8 0", "mount -t tmpfs none /tmp", "umount /proc", "hostname x"])
def test_what_needs_more_rights_is_refused(shell: Shell, deed: str) -> None:
    shell().fail(deed)


def test_a_device_file_of_the_root_is_dead(host: Host, own_rootfs: str, shell: Shell) -> None:
    host.run("mknod", "-m", "666", f"{own_rootfs}/root/zero", "c", "1", "5")
    shell(root=own_rootfs).fail("head -c 1 /root/zero")


def test_an_own_address_cannot_be_changed_inside(pair: tuple[Neighbour, Neighbour]) -> None:
    pair[0].fail("ip address add 10.77.0.200/24 dev eth0")
    pair[0].fail("ip link set eth0 down")


def test_the_number_of_processes_is_limited(host: Host, rootfs: str) -> None:
    script = "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1000 & done; echo all"
    ran = host.contained("--chroot", rootfs, "--pids-limit", "6", "--", "sh", "-c", script)
    assert ran.status != 0
    assert b"all" not in ran.stdout
    ran = host.contained("--chroot", rootfs, "--pids-limit", "max", "--", "sh", "-c", script)
    assert ran.succeeded().line == "all"
