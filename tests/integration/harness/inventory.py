"""From a name given by `--host` to a host."""

from pathlib import Path

from . import guest
from .host import Host
from .link import Local, Ssh

CHECKOUT = Path(__file__).parents[3]


def connect(name: str, *, contain: str | None, ssh_config: str | None, folder: Path) -> Host:
    """`local` is this machine, a name of the Vagrantfile a guest, and any other an ssh host."""
    if name == "local":
        return Host(name, Local(), contain or str(CHECKOUT / "bin/contain"))
    if guest.known(name):
        ssh_config, patience = guest.boot(name, folder), 8.0
    else:
        patience = 3.0
    return Host(name, Ssh(name, ssh_config), contain or "contain", patience)
