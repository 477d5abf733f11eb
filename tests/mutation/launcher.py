"""The launcher under test, on the host: a copy of the checkout's, in which one file or another is broken."""

import io
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .mutants import CHECKOUT, Mutant

if TYPE_CHECKING:
    from tests.integration.harness.bridge import Bridge
    from tests.integration.harness.host import Host

PARTS = ("bin", "contain")
LIMITS = ("--memory-limit", "32MiB", "--cpu-core-ids", "0", "--quiet")
SWEEP = 5.0  # seconds for a host to be clean again after what a broken launcher has left was ended


def packed(checkout: Path = CHECKOUT) -> bytes:
    """The launcher's sources as a tar archive."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for part in PARTS:
            archive.add(checkout / part, part, filter=lambda info: None if info.name.endswith("__pycache__") else info)
    return stream.getvalue()


class Launcher:
    """One copy on one host, sound or with one fault at a time; the host's tests start this one."""

    def __init__(self, host: "Host") -> None:
        self.host, self.folder = host, f"{host.folder}/launcher"
        self.mutant: Mutant | None = None
        self.began = host.contain_path
        host.lasting(self.put)
        host.contain_path = f"{self.folder}/bin/contain"

    def put(self) -> None:
        """Bring the copy to the host, which may just have come back without it."""
        archive = f"{self.host.folder}/launcher.tar"
        self.host.put(archive, packed())
        self.host.shell('rm -rf "$2"; mkdir "$2"; tar -xf "$1" -C "$2"; rm "$1"', archive, self.folder)
        self._write(self.mutant)

    def become(self, mutant: Mutant | None) -> None:
        """Take the fault of `mutant`, or none, in place of the one it had."""
        before, self.mutant = self.mutant, mutant
        if before:
            for file in before.sources():
                self._replace(file, (CHECKOUT / file).read_text(encoding="utf-8"))
        self._write(mutant)

    def _write(self, mutant: Mutant | None) -> None:
        if mutant:
            for file, source in mutant.sources().items():
                self._replace(file, source)

    def _replace(self, file: str, source: str) -> None:
        """Its bytecode goes, too: a source of the same size, written in the same second, would be taken for the old one."""
        self.host.put(f"{self.folder}/{file}", source)
        folder, _, name = file.rpartition("/")
        self.host.shell('rm -f "$1"/__pycache__/"$2".*', f"{self.folder}/{folder}", name.removesuffix(".py"))

    def launches(self, rootfs: str, bridge: "Bridge") -> None:
        """It must still start a program under all four constraints: with a wreck any test is red, and nothing is learnt."""
        network = ("--bridge", bridge.name, "--network-address", f"{bridge.next()}/24")
        self.host.contain("--chroot", rootfs, *LIMITS, *network, "--", "sh", "-c", "echo alive").wait_for("alive\n")
        sweep(self.host)

    def close(self) -> None:
        self.become(None)
        self.host.standing.remove(self.put)
        self.host.contain_path = self.began


def leftovers(host: "Host") -> tuple[list[str], list[str], list[str]]:
    """Processes, links and cgroups that only a broken launcher can have left, as nothing of the tests' runs any more."""
    left = host.residue()
    processes = [line.split()[0] for line in left["processes"]]
    links = [line.split()[0] for line in left["links"] if line.startswith("ct") and line[2:3].isdigit()]
    return processes, links, sorted(left["cgroups"], reverse=True)


def sweep(host: "Host") -> None:
    """Take away what a broken launcher has left, so that the next test isn't red for this one's reason.

    Where that can't be done, a guest is restored before the next test. Raises RuntimeError on another host.
    """
    host.end_all()
    deadline = time.monotonic() + SWEEP * host.patience
    while any(found := leftovers(host)):
        processes, links, groups = found
        if time.monotonic() > deadline:
            if host.guest is None:
                raise RuntimeError(f"{host} can't be cleaned: {found} are left")
            host.dirty = True
            return
        host.shell('for pid; do kill -KILL "$pid" 2>/dev/null; done; :', *processes)
        host.shell('for name; do ip link delete "$name" 2>/dev/null; done; :', *links)
        host.shell('for group; do rmdir "$group" 2>/dev/null; done; :', *groups)
