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
        return Host(name, Ssh(name, guest.boot(name, folder)), contain or "contain", patience=8)
    return Host(name, Ssh(name, ssh_config), contain or "contain", patience=3, ours=False)
