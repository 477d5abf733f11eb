"""The constraints hold together: all four at once in one program, and in ten programs side by side."""

import signal

from tests.integration.harness import cgroups
from tests.integration.harness.bridge import Bridge
from tests.integration.harness.host import Host
from tests.integration.harness.running import Shell

MIB = 1 << 20
ALLOWED = "sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status"
ADDRESSES = "ip -4 -o address show eth0 | sed 's/.*inet //; s/ .*//'"
LINK = "ip link show eth0 | sed -n 's/.*ether \\([^ ]*\\).*/\\1/p'"


def test_all_four_are_seen_from_inside_and_stand_in_the_kernel(host: Host, shell: Shell, bridge: Bridge) -> None:
    address = f"{bridge.next()}/24"
    network = ("--bridge", bridge.name, "--network-address", address)
    inside = shell("--memory-limit", "16MiB", "--cpu-core-ids", "1", *network)
    assert inside.succeed("cat /etc/image") == "contained\n"
    assert inside.succeed(ALLOWED) == "1\n"
    assert inside.succeed(ADDRESSES) == f"{address}\n"
    inside.succeed(f"ping -c 1 -w 5 {bridge.address}")
    assert cgroups.of(inside, "memory").number("memory.limit_in_bytes", "memory.max") == 16 * MIB
    assert cgroups.of(inside, "cpuset").read("cpuset.cpus") == "1"
    inside.write("exec dd if=/dev/zero of=/dev/null bs=64M count=1\n")
    assert inside.exit_status == -signal.SIGKILL
    assert "contain: killed: memory limit 16 MiB reached" in inside.stderr.decode()


def test_ten_at_once_each_have_their_own_and_reach_a_neighbour(host: Host, rootfs: str, bridge: Bridge) -> None:
    """Then one of them needs too much, and nine go on."""
    last = host.cores - 1
    asked = [(f"{bridge.next()}/24", (16 + n) * MIB, str(n % (last + 1))) for n in range(10)]
    ten = []
    for address, memory, core in asked:
        limits = ("--memory-limit", str(memory), "--cpu-core-ids", core)
        ten.append(host.contain("--chroot", rootfs, *limits, "--bridge", bridge.name, "--network-address", address, "--", "sh"))
    links = set()
    for running, (address, memory, core) in zip(ten, asked, strict=True):
        *seen, link = running.succeed(f"{ADDRESSES}; {ALLOWED}; {LINK}").split()
        assert seen == [address, core]
        links.add(link)
        assert cgroups.of(running, "memory").number("memory.limit_in_bytes", "memory.max") // 4096 == memory // 4096
    assert (len(bridge.ports), len(links)) == (10, 10)
    for running, (address, _, _) in zip(ten, asked[1:] + asked[:1], strict=True):
        running.succeed(f"ping -c 1 -w 5 {address.partition('/')[0]}")
    ten[4].write("exec dd if=/dev/zero of=/dev/null bs=64M count=1\n")
    assert ten[4].exit_status == -signal.SIGKILL
    assert "memory limit 20 MiB reached" in ten[4].stderr.decode()
    rest = ten[:4] + ten[5:]
    for running, (address, _, _) in zip(rest, asked[5:] + asked[:4], strict=True):
        running.succeed(f"ping -c 1 -w 5 {address.partition('/')[0]}")
    for running in rest:
        running.close_stdin()
    assert [(running.exit_status, running.stderr) for running in rest] == [(0, b"")] * 9
