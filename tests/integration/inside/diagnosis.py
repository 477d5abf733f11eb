"""What a person would look at on this host after a failure."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from residue import cgroups, descendants

MOST = 20_000  # characters of one answer
STAMP = re.compile(r"^(?:<\d+>)?\[\s*([\d.]+)\]")  # dmesg: seconds since the boot


def asked(*words: str) -> str:
    """What a program of the host's says, on both streams."""
    try:
        ran = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{words[0]}: {error}"
    return (ran.stdout + ran.stderr).decode("utf-8", "backslashreplace")


def kernel(up: float) -> str:
    """The kernel's words from `up` seconds after the boot on."""
    said, wanted = [], False
    for line in asked("dmesg").splitlines():
        stamp = STAMP.match(line)
        wanted = float(stamp[1]) >= up if stamp else wanted
        if wanted:
            said.append(line)
    return "\n".join(said)


def groups() -> Iterator[str]:
    """The files of the cgroups that contain made."""
    for folder in list(cgroups(mine=False)):
        yield f"{folder}:"
        for name in sorted(os.listdir(folder)):
            path = Path(folder, name)
            try:
                if path.is_file() and not name.startswith(("memory.numa", "cgroup.clone")):
                    text = " | ".join(path.read_text().split("\n")).strip(" |")
                    yield f"  {name} {text[:300]}"
            except OSError:
                continue


def diagnosis(up: float, at: float) -> dict[str, str]:
    """Titles and texts; `up` and `at` tell the same moment in seconds since the boot and since 1970."""
    found = {
        "dmesg": kernel(up),
        "journal": asked("journalctl", "--no-pager", "--quiet", f"--since=@{int(at)}", "--output=short-monotonic"),
        "ip a": asked("ip", "address"),
        "cgroups": "\n".join(groups()),
        "processes": "\n".join(f"{pid} {words}" for pid, words in descendants(os.getpid()).items()),
    }
    return {title: text if len(text) <= MOST else f"… {text[-MOST:]}" for title, text in found.items()}
