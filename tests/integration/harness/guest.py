"""Virtual machines: the one module that knows python-vagrant.

The tests' guests stand in a record of their own beside a developer's, so that neither disturbs the other.
"""

import fcntl
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import vagrant

FOLDER = Path(__file__).parents[3] / "vagrant"
RECORD = FOLDER / ".vagrant" / "tests"
CACHE = Path(os.environ.get("CONTAIN_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "contain")
PROVISIONED = "provisioned"  # the snapshot that tests begin with
BOOTED = "booted"  # the one before anything was set up


class GuestError(Exception):
    """Vagrant could not do it; the words are Vagrant's last."""


@contextmanager
def merged() -> Iterator[int]:
    """Vagrant's errors among its words, where the reader of a progress looks for them."""
    yield subprocess.STDOUT


def environment() -> dict[str, str]:
    """What Vagrant is to know: a record and a home of the tests', and not to ask the internet for news of itself."""
    own = {"VAGRANT_DOTFILE_PATH": str(RECORD), "VAGRANT_CHECKPOINT_DISABLE": "1", "VAGRANT_NO_COLOR": "1"}
    return {**os.environ, "VAGRANT_HOME": str(CACHE / "vagrant"), **own}


class Guest:
    """One guest of the Vagrantfile. Its verbs raise GuestError with Vagrant's last words."""

    def __init__(self, name: str) -> None:
        self.name = name
        RECORD.mkdir(parents=True, exist_ok=True)
        (CACHE / "vagrant").mkdir(parents=True, exist_ok=True)
        self.vagrant = vagrant.Vagrant(str(FOLDER), env=environment(), err_cm=merged)
        self.lock = (RECORD / f"{name}.lock").open("w", encoding="utf-8")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.lock.close()
            raise GuestError(f"another run of the tests uses the guest {name}") from None
        self.marker = RECORD / f"{name}.{PROVISIONED}"
        self.ssh_config_path = RECORD / f"{name}.ssh_config"

    @property
    def running(self) -> bool:
        return any(status.name == self.name and status.state == "running" for status in self.vagrant.status(self.name))

    @property
    def ready(self) -> bool:
        """Whether it was kept by an earlier run, as good as new."""
        return self.marker.exists() and self.running

    def up(self) -> Iterator[str]:
        """Boot it, unprovisioned; its box is built first where it's missing. Yields Vagrant's words as they come."""
        return self.told(self.vagrant.up(vm_name=self.name, provision=False, stream_output=True))

    def reload(self) -> Iterator[str]:
        """Shut it down in an orderly way and boot it again. Yields Vagrant's words as they come."""
        return self.told(self.vagrant.reload(vm_name=self.name, provision=False, stream_output=True))

    def told(self, lines: Iterator[str]) -> Iterator[str]:
        heard: list[str] = []
        try:
            for line in lines:
                heard.append(line.strip().removeprefix("==> ").removeprefix(f"{self.name}: "))
                yield heard[-1]
        except subprocess.CalledProcessError:
            raise GuestError("\n".join([f"vagrant failed for {self.name}:", *heard[-25:]])) from None

    def destroy(self) -> None:
        self.marker.unlink(missing_ok=True)
        self.words("destroy", "--force", self.name)

    def save(self, snapshot: str) -> None:
        self.words("snapshot", "save", "--force", self.name, snapshot)
        if snapshot == PROVISIONED:
            self.marker.touch()

    def restore(self, snapshot: str) -> None:
        """Back to a snapshot, with the clock set right. Connections are dead afterwards."""
        self.words("snapshot", "restore", "--no-provision", self.name, snapshot)

    def words(self, *words: str) -> None:
        """A verb of Vagrant's that python-vagrant lacks, or has for one machine only."""
        command = [vagrant.get_vagrant_executable(), *words]
        ran = subprocess.run(
            command, cwd=FOLDER, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
        )
        if ran.returncode:
            raise GuestError("\n".join([f"vagrant {' '.join(words)} failed:", *ran.stdout.splitlines()[-25:]]))

    def ssh_config(self) -> Path:
        """A file in which OpenSSH, paramiko and Ansible find the way to it."""
        self.ssh_config_path.write_text(self.vagrant.ssh_config(vm_name=self.name), encoding="utf-8")
        return self.ssh_config_path

    @property
    def console(self) -> Path:
        """What its kernel and its boot have said on the serial line."""
        return next((RECORD / "machines" / self.name).glob("*/console.log"), Path(os.devnull))

    @property
    def login(self) -> str:
        """The command that leads a person into it."""
        return f"ssh -F {self.ssh_config_path} {self.name}"

    def commands(self) -> Mapping[str, str]:
        """What a person types about a guest that was kept."""
        own = f"cd {FOLDER}; VAGRANT_HOME={CACHE / 'vagrant'} VAGRANT_DOTFILE_PATH={RECORD} vagrant"
        return {"log in": self.login, "remove": f"{own} destroy -f {self.name}"}

    def close(self) -> None:
        self.lock.close()
