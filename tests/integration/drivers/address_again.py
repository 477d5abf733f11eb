"""The next start with an address, right after its owner's end: `address_again.py CONTAIN ROUNDS HOW OPTIONS… --bridge NAME`.

HOW is how the owner ends: `end` of its input, `TERM`, `KILL`; `moment` is SIGKILL at some moment of its launch, `squatted` is
SIGKILL, and a stranger takes the port id of its netlink socket. Prints each next start that did not run its program, and
whether they take longer than a start with no predecessor.
"""

import signal
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

LATE = 0.012  # seconds; waiting for the kernel to take a link apart takes longer
ALONE = 8  # this many rounds, spread evenly, begin with a start that has no predecessor

contain, rounds, how, *options = sys.argv[1:]
words = [contain, "--quiet", *options, "--", "sh", "-c"]
ports = Path("/sys/class/net", options[-1], "brif")


def start() -> float:
    """One launch that nobody may refuse; how long it took."""
    began = time.monotonic()
    ran = subprocess.run([*words, "exit 7"], stdin=subprocess.DEVNULL, capture_output=True)
    took = time.monotonic() - began
    if (ran.returncode, ran.stdout, ran.stderr) != (7, b"", b""):
        print(f"after {how}: {ran.returncode} {ran.stderr!r}")
    return took


def nobody_there() -> None:
    """Until the links of those before have gone."""
    while any(ports.iterdir()):
        time.sleep(0.001)


def lives(pid: str) -> bool:
    """Whether a process has not left its namespaces yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] not in b"ZX"
    except OSError:
        return False


def ended(owner: subprocess.Popen[bytes], step: int) -> None:
    """End the owner; at its end somebody else may have taken its port id."""
    assert owner.stdin
    assert owner.stdout
    if how == "moment":
        time.sleep(1.5 * alone[0] * step / int(rounds))
        return owner.kill()
    assert owner.stdout.readline() == b"in\n"
    if how == "end":
        return owner.stdin.close()
    if how != "squatted":
        return owner.send_signal(getattr(signal, f"SIG{how}"))
    (link,) = ports.iterdir()
    family = Path(f"/proc/{owner.pid}/task/{owner.pid}/children").read_text(encoding="ascii").split()
    owner.kill()
    owner.wait()
    while any(lives(pid) for pid in family):
        time.sleep(0.0005)
    time.sleep(0.1)  # for a grace period the kernel holds the network of a netlink socket that was closed (call_rcu)
    squatter.bind((int(link.name.removeprefix("ct")), 0))
    return None


alone, after = [], []
for step in range(int(rounds)):
    if step % max(1, int(rounds) // ALONE) == 0:
        nobody_there()
        alone.append(start())
    nobody_there()
    squatter = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    owner = subprocess.Popen([*words, "echo in; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    ended(owner, step)
    owner.wait()
    after.append(start())
    squatter.close()
quick, slow = (statistics.quantiles(times, n=4)[0] for times in (alone, after))
if slow > quick * 1.3 + LATE:
    print(f"after {how}: {slow * 1e3:.1f} ms, with no predecessor {quick * 1e3:.1f} ms")
