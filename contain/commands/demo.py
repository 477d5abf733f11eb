"""`contain demo`: two contained programs ping each other, and each limit is seen from inside.

Everything happens in a network namespace of this process's own, with a bridge of its own, so that nothing of the host's
network is touched and nothing is left. Needs root, and either busybox or the usual tools of a host.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from types import FrameType

from contain.commands import demo_root
from contain.commands.demo_bridge import BRIDGE, BRIDGE_ADDRESS, by_hand, make_bridge
from contain.commands.demo_shell import Page, Shell, once, own_command
from contain.errors import ContainError, say

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ADDRESSES = {"alpha": "192.168.2.17", "beta": "192.168.2.18"}


class Demo:
    """One run: what it has started, what it has seen, and what of it did not hold."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.page = Page()
        self.cores = sorted(os.sched_getaffinity(0))
        self.shells: dict[str, Shell] = {}
        self.broken: list[str] = []

    def check(self, promise: str, held: bool) -> None:
        """Remember a promise that did not hold."""
        if not held:
            self.broken.append(promise)

    def core(self, name: str) -> str:
        """The core for the first and the second program: two different ones where there are two."""
        return str(self.cores[list(ADDRESSES).index(name) % len(self.cores)])

    def options(self, name: str) -> str:
        """How one of the two programs is started, without the word `contain`."""
        return (
            f"chroot {name} --memory-limit 32MB --cpu-core-ids {self.core(name)} "
            f"--network-address {ADDRESSES[name]}/24 --bridge {BRIDGE}"
        )

    def run(self) -> None:
        """Show everything."""
        for name in ADDRESSES:
            made_of = demo_root.build(f"{self.folder}/{name}")
        make_bridge()
        print(f"Two programs, each in a root of its own ({made_of}), on the bridge {BRIDGE}, {BRIDGE_ADDRESS}/24.", flush=True)
        self.start()
        self.show_interfaces()
        self.show_pings()
        self.show_cores()
        self.end_shells()
        self.show_memory()
        self.show_status()

    def start(self) -> None:
        """Both shells, at once."""
        self.page.title("Each with a memory limit, a core and an address of its own.")
        for name in ADDRESSES:
            self.page.typed("", f"contain {self.options(name)} -- sh")
            command = [*own_command(), *self.options(name).split(), "--", "sh"]
            self.shells[name] = Shell(name, command, self.folder)

    def show_interfaces(self) -> None:
        """What each has for a network: loopback and one interface."""
        self.page.title("Each has loopback and one interface, eth0, with its address.")
        for name, shell in self.shells.items():
            self.page.typed(name, "ip a")
            words, status = shell.ask("ip a")
            self.page.output(words)
            found = [line.split(":")[1].split("@")[0].strip() for line in words.splitlines() if line[:1].isdigit()]
            held = status == 0 and found == ["lo", "eth0"] and f"inet {ADDRESSES[name]}/24" in words
            self.check(f"{name} has lo and eth0 with {ADDRESSES[name]}, and nothing else", held)

    def show_pings(self) -> None:
        """Each pings the other, at the same time."""
        self.page.title("They reach each other.")
        pings = dict(zip(ADDRESSES, (f"ping -c 2 {address}" for address in reversed(ADDRESSES.values())), strict=True))
        for name, line in pings.items():
            self.shells[name].type(line)
        for name, line in pings.items():
            words, status = self.shells[name].answer()
            self.page.typed(name, line)
            self.page.output(words)
            self.check(f"{name}'s pings are answered", status == 0 and " 0% packet loss" in words)

    def show_cores(self) -> None:
        """Which cores the kernel lets each run on."""
        self.page.title("Each runs on the core it was given, and on no other.")
        line = "grep Cpus_allowed_list /proc/self/status"
        for name, shell in self.shells.items():
            self.page.typed(name, line)
            words, _ = shell.ask(line)
            self.page.output(words)
            self.check(f"{name} runs on core {self.core(name)} only", words.split()[1:] == [self.core(name)])

    def end_shells(self) -> None:
        """End of input for both; they answer with the status of their last command, which was 0."""
        for name, shell in self.shells.items():
            self.check(f"{name} ends with status 0", shell.end() == 0)
        self.shells.clear()

    def show_memory(self) -> None:
        """A program that takes more than its limit is killed, and contain ends as it did."""
        self.page.title("A program that needs more memory than its limit is killed, and the user is told.")
        options, program = "chroot alpha --memory-limit 8MB", "dd if=/dev/zero of=/dev/null bs=64M count=1"
        self.page.typed("", f"contain {options} -- {program}; echo $?")
        words, status = once(self.folder, [*options.split(), "--", *program.split()])
        self.page.output(f"{words}{status if status >= 0 else 128 - status}")
        self.check("the memory limit kills", status == -signal.SIGKILL)
        self.check("the memory limit is named when it kills", "contain: killed: memory limit 8 MB reached" in words)

    def show_status(self) -> None:
        """The program's exit code is contain's."""
        self.page.title("Its exit code is the program's own.")
        self.page.typed("", "contain chroot beta -- sh -c 'exit 42'; echo $?")
        words, status = once(self.folder, ["chroot", "beta", "--", "sh", "-c", "exit 42"])
        self.page.output(f"{words}{status if status >= 0 else 128 - status}")
        self.check("the exit code 42 is passed through", status == 42)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(words: list[bytes]) -> int:
    """Show it, take everything down again, and say whether all of it held."""
    keep = words in ([b"--keep"], [b"-keep"])
    if words and not keep:
        raise ContainError("demo", "the only option is --keep", "contain demo --keep leaves the roots to try by hand")
    if os.geteuid():
        raise ContainError("demo", "it makes namespaces and cgroups, which needs root", "sudo contain demo")
    places = demo_root.writable_folders()
    if not places:
        raise ContainError("demo", "no folder for temporary files lets programs be executed", "name one: TMPDIR=DIR")
    for number in STOPS:
        signal.signal(number, _interrupt)
    demo, kept = Demo(tempfile.mkdtemp(prefix="contain-demo.", dir=places[0])), False
    try:
        demo.run()
        if keep:
            starts = {name: demo.options(name) for name in ADDRESSES}
            print(by_hand(demo.folder, starts), flush=True)
            kept = True
        if not demo.broken:
            print("\nAll of it held.", flush=True)
            return 0
        say("demo: did not hold: " + "; ".join(demo.broken))
    except KeyboardInterrupt:
        say("demo: interrupted")
    except subprocess.TimeoutExpired as error:
        say(f"demo: no end within {error.timeout:.0f} s: {error.cmd[-1]}")
    finally:
        for number in STOPS:
            signal.signal(number, signal.SIG_IGN)
        for shell in demo.shells.values():
            shell.end()
        if not kept:
            shutil.rmtree(demo.folder, ignore_errors=True)
    return 1
