"""The way to a host: the one module that knows testinfra, and paramiko beneath it.

`Local` starts the hand of `inside/` as a child, `Ssh` copies it there and runs it through one channel. Both then read
and write lines; nothing above can tell them apart.
"""

import io
import subprocess
import uuid
import zipfile
from pathlib import Path
from typing import Any, Protocol, cast

import testinfra.backend
import testinfra.host

INSIDE = Path(__file__).parent.parent / "inside"
PYTHON = "/usr/bin/python3"


class Pipe(Protocol):
    """What is needed of a stream."""

    def write(self, data: bytes, /) -> Any: ...
    def readline(self) -> bytes: ...
    def flush(self) -> None: ...
    def close(self) -> None: ...


class Link(Protocol):
    facts: Any  # testinfra's host: packages, files, services, …
    to_hand: Pipe
    from_hand: Pipe

    def close(self) -> None: ...

    def patient(self, seconds: float) -> None:
        """How long silence may last before `to_hand` and `from_hand` raise TimeoutError."""

    def abandon(self) -> None:
        """Let go of a host that has gone away."""


def asked(spec: str, **options: Any) -> Any:
    """testinfra's view of a host, through a connection of its own: `get_host` would hand out one that may be dead."""
    backend = testinfra.backend.get_backend(spec, **options)
    view = testinfra.host.Host(backend)
    backend.set_host(view)
    return view


class Local:
    """This machine, in a network and mount namespace of the session's own."""

    def __init__(self) -> None:
        self.facts = asked("local://")
        self.process = subprocess.Popen(
            [PYTHON, "-IS", str(INSIDE), "--private"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # ^C at the tests is theirs to handle
        )
        self.to_hand, self.from_hand = cast(Pipe, self.process.stdin), cast(Pipe, self.process.stdout)

    def close(self) -> None:
        self.to_hand.close()
        self.process.wait(30)
        self.from_hand.close()

    def patient(self, seconds: float) -> None:
        """Needless: the pipe of a child that vanishes is closed."""

    def abandon(self) -> None:
        self.close()


class Ssh:
    """A host that ssh reaches, as root or as a user who may use sudo without a password."""

    def __init__(self, name: str, ssh_config: str | None) -> None:
        plain = asked(f"paramiko://{name}", ssh_config=ssh_config)
        self.sudo = "" if plain.check_output("id -u") == "0" else "sudo -n "
        plain.backend.client.close()
        self.facts = asked(f"paramiko://{name}", ssh_config=ssh_config, sudo=bool(self.sudo))
        # One file that Python runs as it is: each command of its own costs a third of a second under emulation.
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for source in INSIDE.glob("*.py"):
                archive.write(source, source.name)
        self.file = f"/root/contain-hand.{uuid.uuid4().hex}"
        self.copy(packed.getvalue(), self.file)
        self.channel = self.open(f"{self.sudo}{PYTHON} -IS {self.file}")
        self.to_hand = cast(Pipe, self.channel.makefile_stdin("wb"))
        self.from_hand = cast(Pipe, self.channel.makefile("rb"))

    def open(self, command: str) -> Any:
        """A command of its own on the one connection."""
        channel = self.facts.backend.client.get_transport().open_session()
        channel.exec_command(command)
        return channel

    def copy(self, data: bytes, path: str) -> None:
        """Through `cat`, because sftp would not be root."""
        channel = self.open(f"{self.sudo}sh -c 'cat > {path}'")
        channel.sendall(data)
        channel.shutdown_write()
        if channel.recv_exit_status():
            raise RuntimeError(f"{path} could not be written")

    def close(self) -> None:
        self.channel.shutdown_write()
        self.channel.recv_exit_status()
        self.facts.run(f"rm {self.file}")
        self.abandon()

    def patient(self, seconds: float) -> None:
        self.channel.settimeout(seconds)

    def abandon(self) -> None:
        self.facts.backend.client.close()
