"""The two-container ping demo in a guest: what a person would type after `vagrant ssh`, in two terminals at once."""

import argparse
import subprocess
import sys
import threading

from tests.integration.harness.guest import Guest
from tests.integration.harness.inventory import boot, dispose
from tests.integration.report.phases import phase

COMMANDS = "grep -o 'sudo contain .*' /etc/motd.d/contain"
PINGS = 5


def show(name: str, running: "subprocess.Popen[str]") -> None:
    assert running.stdout is not None
    for line in running.stdout:
        print(f"  {name} | {line}", end="", flush=True)  # noqa: T201 - to be watched


def ping(guest: Guest) -> int:
    """Both of the commands that the guest's greeting tells, shortened; 0 if each had its answers."""
    ssh = ["ssh", "-F", str(guest.ssh_config()), guest.name]
    told = subprocess.run([*ssh, COMMANDS], stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout.splitlines()
    commands = [command.replace("-c 30", f"-c {PINGS}") for command in told]
    names = ["alpha", "beta"]
    for name, command in zip(names, commands, strict=True):
        print(f"  {name} $ {command}", flush=True)  # noqa: T201
    running = [
        subprocess.Popen([*ssh, command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        for command in commands
    ]
    readers = [threading.Thread(target=show, args=pair) for pair in zip(names, running, strict=True)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    return max(one.wait() for one in running)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="bookworm", help="a guest of the Vagrantfile (default: bookworm)")
    parser.add_argument("--keep-vm", action="store_true", help="leave the guest running, and say how to log in")
    asked = parser.parse_args()
    guest = Guest(asked.host)
    try:
        boot(guest)
        with phase(guest.name, "demo"):
            return ping(guest)
    finally:
        dispose(guest, asked.keep_vm)


if __name__ == "__main__":
    sys.exit(main())
