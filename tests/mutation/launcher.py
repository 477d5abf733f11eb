"""The launcher under test, on the host: a copy of the checkout's, in which one file or another is broken."""

import io
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .mutants import Mutant

if TYPE_CHECKING:
    from tests.integration.harness.bridge import Bridge
    from tests.integration.harness.host import Host

LIMITS = ("--memory-limit", "32MiB", "--cpu-core-ids", "0", "--quiet")
SWEEP = 5.0  # seconds for a host to be clean again after what a broken launcher has left was ended


class Launcher:
    """One copy on one host, of `sources` or with one fault at a time; the host's tests start this one."""

    def __init__(self, host: "Host", sources: Mapping[str, str]) -> None:
        self.host, self.sources, self.folder = host, sources, f"{host.folder}/launcher"
        self.mutant: Mutant | None = None
        self.began, self.mounts = host.contain_path, mounted(host)
        host.lasting(self.put)
        host.contain_path = f"{self.folder}/bin/contain"

    def put(self) -> None:
        """Bring the copy to the host, which may just have come back without it."""
        stream, archive = io.BytesIO(), f"{self.host.folder}/launcher.tar"
        with tarfile.open(fileobj=stream, mode="w") as packed:
            for file, source in self.sources.items():
                info = tarfile.TarInfo(file)
                info.size, info.mode = len(source.encode()), 0o755
                packed.addfile(info, io.BytesIO(source.encode()))
        self.host.put(archive, stream.getvalue())
        self.host.shell('rm -rf "$2"; mkdir "$2"; tar -xf "$1" -C "$2"; rm "$1"', archive, self.folder)
        if self.mutant:
            self._write(self.mutant.apply(self.sources))

    def become(self, mutant: Mutant | None) -> None:
        """Take the fault of `mutant`, or none, in place of the one it had."""
        before, self.mutant = self.mutant, mutant
        if before:
            self._write({file: self.sources[file] for file in before.apply(self.sources)})
        if mutant:
            self._write(mutant.apply(self.sources))

    def _write(self, changed: Mapping[str, str]) -> None:
        """Their bytecode goes, too: a source of the same size, written in the same second, would be taken for the old one."""
        for file, source in changed.items():
            folder, _, name = f"{self.folder}/{file}".rpartition("/")
            self.host.put(f"{folder}/{name}", source)
            self.host.shell('rm -f "$1"/__pycache__/"$2".*', folder, name.removesuffix(".py"))

    def launches(self, rootfs: str, bridge: "Bridge") -> None:
        """It must still start a program under all four constraints: with a wreck any test is red, and nothing is learnt."""
        network = ("--bridge", bridge.name, "--network-address", f"{bridge.next()}/24")
        self.host.contain("--chroot", rootfs, *LIMITS, *network, "--", "sh", "-c", "echo alive").wait_for("alive\n")
        self.sweep()

    def sweep(self) -> None:
        """Take away what it has left."""
        sweep(self.host, self.mounts)

    def close(self) -> None:
        self.become(None)
        self.host.standing.remove(self.put)
        self.host.contain_path = self.began


def mounted(host: "Host") -> set[str]:
    """Where something is mounted on the host."""
    return {line.split()[2] for line in host.residue()["mounts"]}


@dataclass
class Leftovers:
    """What only a broken launcher can have left on the host, as nothing of the tests' runs any more."""

    processes: list[str]
    links: list[str]
    groups: list[str]
    mounts: list[str]

    def __bool__(self) -> bool:
        return bool(self.processes or self.links or self.groups or self.mounts)


def leftovers(host: "Host", mounts: set[str]) -> Leftovers:
    """All there is now; `mounts` were there before."""
    left = host.residue()
    return Leftovers(
        [line.split()[0] for line in left["processes"]],
        [line.split()[0] for line in left["links"] if line.startswith("ct") and line[2:3].isdigit()],
        sorted(left["cgroups"], reverse=True),
        sorted({line.split()[2] for line in left["mounts"]} - mounts, reverse=True),
    )


def sweep(host: "Host", mounts: set[str]) -> None:
    """Take away what a broken launcher has left, so that the next test isn't red for this one's reason.

    Where that can't be done, a guest is restored before the next test. Raises RuntimeError on another host.
    """
    host.end_all()
    deadline = time.monotonic() + SWEEP * host.patience
    while left := leftovers(host, mounts):
        if time.monotonic() > deadline:
            if host.guest is None:
                raise RuntimeError(f"{host} can't be cleaned: {left}")
            host.dirty = True
            return
        host.shell('for pid; do kill -KILL "$pid" 2>/dev/null; done; :', *left.processes)
        host.shell('for name; do ip link delete "$name" 2>/dev/null; done; :', *left.links)
        host.shell('for place; do umount -l "$place" 2>/dev/null; done; :', *left.mounts)
        host.shell('for group; do rmdir "$group" 2>/dev/null; done; :', *left.groups)
