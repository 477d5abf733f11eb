"""The harness's hand inside a host: takes one JSON line, does it, answers with one.

Needs Python 3.11 and nothing else. Bytes travel as latin-1. With `--private` it first moves into a network and mount
namespace of its own, so that neither a firewall of the host nor its other users can disturb a test or be disturbed.
"""

import base64
import ctypes
import json
import os
import signal
import sys
import time
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from diagnosis import diagnosis
from processes import Child, Table
from residue import snapshot

for ignored in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):  # as nohup and `… &` leave them, and programs inherit them
    signal.signal(ignored, signal.SIG_DFL)

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
PRIVATE = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mkdir /mnt/cgroup && mount --rbind /sys/fs/cgroup /mnt/cgroup
mount -t sysfs sysfs /sys                      # a new sysfs shows the links of the new network namespace
mount --rbind /mnt/cgroup /sys/fs/cgroup
umount -l /mnt
for folder in /run /dev/shm /var/tmp /tmp; do  # what others do there is no residue of ours
    case $HOME_OF_TESTS/ in $folder/*) continue ;; esac
    awk -v f=$folder/ 'index($2, f) == 1 {print $2}' /proc/self/mounts | sort -r | xargs -r umount -l
    mount -t tmpfs -o mode=1777 tmpfs $folder
done
mkdir -p /run/netns /run/lock
ip link set lo up
exec /usr/bin/python3 -IS "$0" --inside
"""


def plain(text: str) -> bytes:
    return text.encode("latin-1")


class Hand:
    """What can be asked; each method is a verb of the protocol. A new question ends a wait for the answer to the one before."""

    def __init__(self) -> None:
        self.table = Table()

    def tell(self, child: Child, met: bool = True) -> dict[str, Any]:
        return {
            "met": met,
            "status": child.status(),
            "out": base64.b64encode(child.out).decode(),
            "err": base64.b64encode(child.err).decode(),
        }

    def start(self, argv: list[str], env: dict[str, str] | None, cwd: str | None) -> dict[str, Any]:
        named = None if env is None else {plain(k): plain(v) for k, v in env.items()}
        number = self.table.start([plain(word) for word in argv], named, plain(cwd) if cwd else None)
        return {"id": number, "pid": self.table.children[number].popen.pid}

    def wait_for(self, id: int, word: str, within: float) -> dict[str, Any]:  # noqa: A002 - the protocol's word
        child, needle = self.table.children[id], plain(word)

        def said() -> bool:
            return needle in child.out or needle in child.err

        self.table.pump(lambda: said() or (child.status() is not None and not child.open), within, also=0)
        return self.tell(child, said())

    def wait(self, id: int, within: float) -> dict[str, Any]:  # noqa: A002
        """Wait for the end of the process and of both its streams."""
        child = self.table.children[id]

        def ended() -> bool:
            return child.status() is not None and not child.open

        self.table.pump(ended, within, also=0)
        return self.tell(child, ended())

    def signal(self, id: int, number: int) -> dict[str, Any]:  # noqa: A002
        self.table.children[id].popen.send_signal(number)
        return {}

    def write(self, id: int, data: str) -> dict[str, Any]:  # noqa: A002
        self.table.children[id].stdin.write(plain(data))
        return {}

    def close(self, id: int) -> dict[str, Any]:  # noqa: A002
        self.table.children[id].stdin.close()
        return {}

    def residue(self) -> dict[str, Any]:
        self.table.reap()
        return dict(snapshot())

    def clock(self) -> dict[str, Any]:
        """This moment in seconds since the boot, as the kernel's log has it, and since 1970."""
        return {"up": time.monotonic(), "at": time.time()}

    def diagnosis(self, up: float, at: float) -> dict[str, Any]:
        return dict(diagnosis(up, at))

    def finish(self, within: float) -> dict[str, Any]:
        return {"stubborn": self.table.finish(within)}

    def put(self, path: str, data: str, mode: int) -> dict[str, Any]:
        fd = os.open(plain(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(fd, "wb") as file:
            file.write(base64.b64decode(data))
        return {}


def serve() -> None:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    hand, pending = Hand(), b""
    while True:
        hand.table.pump(lambda: False, 3600, also=0)
        data = os.read(0, 1 << 16)
        if not data:
            break
        *requests, pending = (pending + data).split(b"\n")
        for request in requests:
            asked = json.loads(request)
            question = asked.pop("question")
            try:
                answer = getattr(hand, asked.pop("do"))(**asked)
            except Exception as error:  # told to the harness, which fails the test with it
                answer = {"error": f"{type(error).__name__}: {error}"}
            send({**answer, "question": question})
    hand.table.finish(2)


def send(answer: dict[str, Any]) -> None:
    rest = memoryview(json.dumps(answer).encode() + b"\n")
    while rest:
        rest = rest[os.write(1, rest) :]


if sys.argv[1:] == ["--private"]:
    here = os.path.dirname(os.path.abspath(__file__))
    os.environ["HOME_OF_TESTS"] = os.path.realpath(here)
    script = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", PRIVATE, here]
    os.execvp(script[0], script)  # noqa: S606 - no shell is meant to stand between
serve()
