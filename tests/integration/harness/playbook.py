"""The playbook, as a user runs it: `ansible-playbook -i inventory playbook.yml`, its words heard line by line."""

import atexit
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from .guest import CACHE, FOLDER

RECAP = re.compile(r"^(\S+)\s+: (ok=.*)$")
CHECKOUT = FOLDER.parent


def tool(name: str) -> str:
    """The one that came with these tests, else the one on the PATH."""
    own = Path(sys.executable).parent / name
    return str(own) if own.exists() else name


@dataclass
class Played:
    """How a run ended: `recap` by Ansible's words (ok, changed, failed, …), `seconds` by the clock."""

    status: int
    recap: dict[str, int]
    seconds: float
    lines: list[str]

    def succeeded(self) -> "Played":
        assert self.status == 0, "\n".join(["the playbook failed:", *self.lines[-40:]])
        return self


@cache
def wheel() -> str:
    """The wheel of this checkout, built once a session: the same file is not installed twice."""
    (CACHE / "wheel").mkdir(parents=True, exist_ok=True)
    folder = mkdtemp(prefix="tests-", dir=CACHE / "wheel")
    atexit.register(rmtree, folder, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--wheel-dir", folder, str(CHECKOUT)], check=True, stdout=sys.stderr)
    (built,) = Path(folder).glob("contain-*.whl")
    return str(built)


def start(host: str, ssh_config: str | Path | None, *options: str, inventory: str | None = None) -> subprocess.Popen[str]:
    """The playbook for one host, under way."""
    own = {
        "ANSIBLE_CONFIG": str(FOLDER / "ansible.cfg"),
        "CONTAIN_WHEEL": wheel(),
        "ANSIBLE_NOCOLOR": "1",
        "PYTHONUNBUFFERED": "1",
    }
    if ssh_config:
        own["CONTAIN_SSH_CONFIG"] = str(ssh_config)
    command = [tool("ansible-playbook"), "-i", inventory or str(FOLDER / "inventory" / "guests.yml"), "--limit", host]
    return subprocess.Popen(
        [*command, *options, str(FOLDER / "playbook.yml")],
        env={**os.environ, **own},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    )


def play(
    host: str,
    ssh_config: str | Path | None,
    *options: str,
    say: Callable[[str], None] = lambda line: None,
    inventory: str | None = None,
) -> Played:
    """Run the playbook for one host to its end."""
    wheel()
    began = time.monotonic()
    lines, recap = [], {}
    with start(host, ssh_config, *options, inventory=inventory) as running:
        assert running.stdout is not None
        for line in running.stdout:
            lines.append(line.rstrip())
            if line.startswith("TASK ["):
                say(line.partition("]")[0].removeprefix("TASK ["))
            if found := RECAP.match(line):
                recap = {key: int(value) for key, value in (word.split("=") for word in found[2].split())}
    return Played(running.returncode, recap, time.monotonic() - began, lines)
