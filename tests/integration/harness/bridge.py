"""The bridge that contained programs are hooked to, with an address for each asker."""

from dataclasses import dataclass, field

from .host import DRIVERS, Host
from .link import PYTHON
from .running import Shell


@dataclass
class Bridge:
    """A bridge of the host with an IPv4 and an IPv6 subnet."""

    host: Host
    name: str
    subnet: str = "10.77.0"
    subnet6: str = "fd77"
    given: int = field(default=9)

    @property
    def address(self) -> str:
        return f"{self.subnet}.1"

    @property
    def address6(self) -> str:
        return f"{self.subnet6}::1"

    def make(self) -> "Bridge":
        self.host.run("ip", "link", "add", self.name, "type", "bridge")
        self.host.run("ip", "address", "add", f"{self.address}/24", "dev", self.name)
        self.host.run("ip", "address", "add", f"{self.address6}/64", "dev", self.name, "nodad")
        self.host.run("ip", "link", "set", self.name, "up")
        return self

    def remove(self) -> None:
        self.host.run("ip", "link", "delete", self.name)

    def next(self, family: int = 4) -> str:
        """An address that no test of this session has had, without its prefix length."""
        self.given += 1
        return f"{self.subnet}.{self.given}" if family == 4 else f"{self.subnet6}::{self.given:x}"

    @property
    def ports(self) -> list[str]:
        return self.host.run("ls", f"/sys/class/net/{self.name}/brif").lines


class Neighbour:
    """A contained shell with an address, and the running program's verbs."""

    def __init__(self, shell: Shell, bridge: Bridge) -> None:
        self.address = bridge.next()
        self.running = shell("--bridge", bridge.name, "--network-address", f"{self.address}/24")
        self.succeed, self.fail, self.attempt = self.running.succeed, self.running.fail, self.running.attempt


class Talker:
    """A contained program of `host_tree` that speaks `kind`, tcp or udp, on its own address; see drivers/talker.py."""

    def __init__(self, bridge: Bridge, host_tree: tuple[str, ...], kind: str, name: str, address: str) -> None:
        self.name, self.address, self.asked = name, address, 0
        bridge.host.put(f"{host_tree[1]}/tmp/talker.py", (DRIVERS / "talker.py").read_bytes())
        network = ("--bridge", bridge.name, "--network-address", f"{address}/{64 if ':' in address else 24}")
        talker = (PYTHON, "-IS", "/tmp/talker.py", kind, name, address)
        self.running = bridge.host.contain(*host_tree, *network, "--", *talker).wait_for("listening")

    def ask(self, address: str, seconds: float = 20) -> str:
        """Ask whoever has that address, for at most so many seconds: the name of the one that answered, or why nobody did."""
        self.asked += 1
        self.running.write(f"{address} {seconds * self.running.host.patience}\n")
        said = self.running.wait_for(f"<{self.asked}> ", seconds + 20).said.decode()
        return said.partition(f"<{self.asked}> ")[2].partition("\n")[0].removesuffix(" answered")
