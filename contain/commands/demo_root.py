"""Small root file systems for the demo, made of what the host has: busybox, or copies of its own tools with their libraries."""

import os
import shutil

from contain.errors import ContainError
from contain.program import LIBRARIES, elf_needs

NEEDED = ("sh", "ip", "ping", "grep", "dd")
WELCOME = ("cat", "ls", "ps", "id", "hostname", "sleep")
PATH = f"{os.defpath}:/sbin:/usr/sbin:/usr/local/bin:/usr/local/sbin"


def build(folder: str) -> str:
    """Make a root in the new directory `folder`; returns what it was made of. Raises ContainError if tools are missing."""
    os.makedirs(f"{folder}/bin")
    busybox = shutil.which("busybox", path=PATH)
    if busybox and _applets(busybox):
        _copy(busybox, folder, "/bin/busybox")
        for name in (*NEEDED, *WELCOME):
            os.symlink("busybox", f"{folder}/bin/{name}")
        return "busybox"
    tools = {name: shutil.which(name, path=PATH) for name in (*NEEDED, *WELCOME)}
    missing = [name for name in NEEDED if not tools[name]]
    if missing:
        reason = f"this host has neither busybox nor {', '.join(missing)}"
        raise ContainError("demo", reason, "on Debian: apt-get install busybox-static")
    for name, path in tools.items():
        if path:
            _copy(path, folder, f"/bin/{name}")
    return "copies of this host's own tools"


def writable_folders() -> list[str]:
    """Where the roots can be built: folders for temporary files from which programs may be executed."""
    found = []
    for folder in (os.environ.get("TMPDIR", ""), "/tmp", "/var/tmp", "/root"):
        if os.path.isdir(folder) and os.access(folder, os.W_OK) and not os.statvfs(folder).f_flag & os.ST_NOEXEC:
            found.append(os.path.realpath(folder))
    return found


def _applets(busybox: str) -> bool:
    """Whether this busybox was built with all that the demo needs."""
    import subprocess

    try:
        listed = subprocess.run([busybox, "--list"], capture_output=True, timeout=5, text=True, errors="replace")
    except (OSError, subprocess.TimeoutExpired):
        return False
    return set(NEEDED) <= set(listed.stdout.split())


def _copy(source: str, folder: str, destination: str) -> None:
    """Copy a program, its loader and its libraries, each library to where the host has it."""
    shutil.copy(source, folder + destination)
    waiting = [source]
    while waiting:
        with open(waiting.pop(), "rb") as file:
            head = file.read(4096)
            if len(head) < 64 or not head.startswith(b"\x7fELF\x02"):
                continue
            loader, libraries = elf_needs(file.fileno(), head)
        wanted = [_find(name) for name in libraries] + ([os.fsdecode(loader)] if loader else [])
        for path in wanted:
            copy = folder + path
            if path and not os.path.exists(copy):
                os.makedirs(os.path.dirname(copy), exist_ok=True)
                shutil.copy(path, copy)
                waiting.append(path)


def _find(name: bytes) -> str:
    for folder in LIBRARIES:
        path = os.fsdecode(folder + b"/" + name)
        if os.path.exists(path):
            return path
    return ""
