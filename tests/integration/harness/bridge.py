"""The bridge that contained programs are hooked to, with an address for each asker."""

from dataclasses import dataclass, field

from .host import Host
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

    def next(self) -> str:
        """An address that no test of this session has had, without its prefix length."""
        self.given += 1
        return f"{self.subnet}.{self.given}"

    @property
    def ports(self) -> list[str]:
        return self.host.run("ls", f"/sys/class/net/{self.name}/brif").lines


class Neighbour:
    """A contained shell with an address, and the running program's verbs."""

    def __init__(self, shell: Shell, bridge: Bridge) -> None:
        self.address = bridge.next()
        self.running = shell("--bridge", bridge.name, "--network-address", f"{self.address}/24")
        self.succeed, self.fail, self.attempt = self.running.succeed, self.running.fail, self.running.attempt
