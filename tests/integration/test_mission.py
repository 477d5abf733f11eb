"""The example that this project began with, word for word, with all four constraints seen from inside."""

from collections.abc import Iterator

import pytest

from tests.integration.harness.host import Host

PROGRAM = """#!/bin/sh
echo "$0 $*"
ls /
sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status
ip -4 address show eth0 | sed -n 's/ *inet \\([^ ]*\\).*/\\1/p'
ping -c 1 -w 5 192.168.2.1 >/dev/null && echo reached
"""


@pytest.fixture
def docker0(host: Host) -> Iterator[None]:
    """The bridge of that name and subnet, where the network is the tests' own to change."""
    if not host.ours:
        pytest.skip(f"{host}'s network is its owner's: no docker0 is made there")
    assert host.finish("test", "-e", "/sys/class/net/docker0").status != 0, f"{host} has a docker0"
    # A guest has that subnet on a bridge of its own already: answers must not go there meanwhile.
    others = host.run("ip", "-4", "route", "show", "192.168.2.0/24").lines
    for route in others:
        host.run("ip", "route", "delete", *route.split("linkdown")[0].split())
    host.run("ip", "link", "add", "docker0", "up", "type", "bridge")
    host.run("ip", "address", "add", "192.168.2.1/24", "dev", "docker0")
    yield
    host.run("ip", "link", "delete", "docker0")
    for route in others:
        host.run("ip", "route", "add", *route.split("linkdown")[0].split())


@pytest.mark.usefixtures("docker0")
@pytest.mark.parametrize("first", ["chroot", "--chroot", "-chroot"])
def test_the_example_works_word_for_word(host: Host, own_rootfs: str, first: str) -> None:
    host.put(f"{own_rootfs}/bin/someprogram", PROGRAM)
    cores, meant = ("1,3", "1,3") if host.cores > 3 else ("0,1", "0-1")
    checkout = host.contain_path.endswith("/bin/contain") and host.contain_path.removesuffix("/bin/contain")
    line = (
        f"{'./bin/contain' if checkout else host.contain_path} {first} {own_rootfs} --memory-limit 1MB "
        f"--cpu-coreids {cores} --network-address 192.168.2.17/24 -- someprogram arg1 arg"
    )
    ran = host.finish("sh", "-c", line, cwd=checkout or "/")
    seen = ran.succeeded().lines
    assert seen[0] == "/bin/someprogram arg1 arg"
    assert seen[1:7] == ["bin", "dev", "etc", "proc", "root", "tmp"]
    assert seen[7:] == [meant, "192.168.2.17/24", "reached"]


@pytest.mark.usefixtures("docker0")
def test_its_memory_limit_holds(host: Host, own_rootfs: str) -> None:
    words = ("chroot", own_rootfs, "--memory-limit", "1MB", "--cpu-coreids", "0,1")
    ran = host.contained(
        *words, "--network-address", "192.168.2.17/24", "--", "dd", "if=/dev/zero", "of=/dev/null", "bs=4M", "count=1"
    )
    assert ran.status == -9
    assert "contain: killed: memory limit" in ran.errors
