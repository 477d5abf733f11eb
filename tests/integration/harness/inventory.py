"""From a name given by `--host` to a host: the inventory says which names and groups there are."""

import json
import subprocess
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from tests.integration.report.phases import fact, phase

from . import playbook
from .guest import BOOTED, FOLDER, PROVISIONED, Guest
from .host import Host
from .link import Local, Ssh
from .playbook import Played

CHECKOUT = FOLDER.parent
EMULATED = 8.0  # patience with a guest: under emulation a program needs about this many times what it needs on a real machine


class Inventory:
    """Ansible's inventory, read by Ansible. `local` needs none: it is the machine of the tests, and in no group."""

    def __init__(self, file: str | None, ssh_config: str | None, contain: str | None, keep: str | None) -> None:
        self.file = file or str(FOLDER / "inventory" / "guests.yml")
        self.ssh_config, self.contain, self.keep = ssh_config, contain, keep

    @cached_property
    def groups(self) -> dict[str, list[str]]:
        """The hosts of each group, groups of groups included."""
        ran = subprocess.run(
            [playbook.tool("ansible-inventory"), "-i", self.file, "--list"],
            stdout=subprocess.PIPE,
            check=True,
            encoding="utf-8",
        )
        table: dict[str, Any] = json.loads(ran.stdout)

        def hosts(group: str) -> list[str]:
            own = table.get(group, {})
            return [*own.get("hosts", []), *(name for child in own.get("children", []) for name in hosts(child))]

        return {group: list(dict.fromkeys(hosts(group))) for group in table if group != "_meta"}

    def expand(self, asked: Iterable[str]) -> list[str]:
        """Names of hosts, from names of hosts and groups."""
        found: list[str] = []
        for name in asked:
            found += [name] if name == "local" else self.groups.get(name, [name])
        return list(dict.fromkeys(found))

    def is_guest(self, name: str) -> bool:
        """Whether it is one of the Vagrantfile's, which the tests boot themselves."""
        return name != "local" and not self.ssh_config and name in self.groups.get("guests", [])

    def connect(self, name: str) -> Host:
        """`local` is this machine, a guest is booted and provisioned, and any other name is ssh's to find."""
        if name == "local":
            return Host(name, Local, self.contain or str(CHECKOUT / "bin/contain"))
        groups = frozenset(group for group, hosts in self.groups.items() if name in hosts)
        contain = self.contain or "contain"
        if self.is_guest(name):
            guest = Guest(name)
            try:
                first = boot(guest)
                config = str(guest.ssh_config())
                with phase(name, "connect"):
                    made = Host(name, lambda: Ssh(name, config), contain, patience=EMULATED, groups=groups)
                made.guest, made.provisioned, made.keep = guest, first, self.keep
                return made
            except BaseException:
                dispose(guest, self.keep is not None)
                raise
        known = "guests" in groups  # somebody else's guest, lent by its ssh configuration
        return Host(
            name,
            lambda: Ssh(name, self.ssh_config),
            contain,
            patience=EMULATED if known else 3.0,
            groups=groups,
            ours=known,
        )


def boot(guest: Guest) -> Played:
    """Up, provisioned, and saved as tests begin; a guest that an earlier run kept goes back to where it began."""
    if guest.ready:
        with phase(guest.name, "restore"):
            guest.restore(PROVISIONED)
    else:
        guest.destroy()
        start_fresh(guest)
        with phase(guest.name, "snapshot"):
            guest.save(BOOTED)
    played = provision(guest)
    with phase(guest.name, "snapshot"):
        guest.save(PROVISIONED)
    return played


def start_fresh(guest: Guest) -> None:
    """`vagrant up`, its two parts told apart: the box, which is built once, and the boot."""
    lines = guest.up()
    with phase(guest.name, "box") as box:
        for line in lines:
            box.progress(line)
            if "ssh on 127.0.0.1" in line:  # the provider says so when the machine has been switched on
                fact(guest.name, "machine", line.rpartition(": ")[2])
                break
    with phase(guest.name, "boot") as booting:
        for line in lines:
            booting.progress(line)


def provision(guest: Guest) -> Played:
    """The playbook, which must succeed."""
    with phase(guest.name, "provision") as now:
        played = playbook.play(guest.name, guest.ssh_config(), say=now.progress)
        now.progress(", ".join(f"{count} {what}" for what, count in played.recap.items() if count))
        return played.succeeded()


def dispose(guest: Guest, keep: bool) -> None:
    """Remove a guest, or say how to reach the one that is kept."""
    if keep:
        with phase(guest.name, "keep") as now:
            for what, command in guest.commands().items():
                now.progress(f"to {what}: {command}")
    else:
        with phase(guest.name, "destroy"):
            guest.destroy()
    guest.close()
