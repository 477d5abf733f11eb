"""Virtual machines as hosts: the one module that knows python-vagrant."""

from pathlib import Path

import vagrant

FOLDER = Path(__file__).parents[3] / "vagrant"


def boot(name: str, config: Path) -> str:
    """Bring guest `name` up, provisioned, and write the ssh configuration that reaches it; answers its path."""
    guest = vagrant.Vagrant(str(FOLDER), quiet_stdout=False, quiet_stderr=False)
    guest.up(vm_name=name)
    path = config / f"ssh_config.{name}"
    path.write_text(guest.ssh_config(vm_name=name), encoding="utf-8")
    return str(path)


def known(name: str) -> bool:
    """Whether the Vagrantfile speaks of a guest of that name."""
    if not (FOLDER / "Vagrantfile").exists():
        return False
    return any(status.name == name for status in vagrant.Vagrant(str(FOLDER)).status())
