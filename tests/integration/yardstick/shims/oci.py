"""`oci.py RUNTIME -- PROGRAM [ARGUMENT…]`: run a program by an OCI runtime (crun, runc), with the host's files as its root.

Writes a bundle with the caller's environment, no terminal and its capabilities, and becomes `RUNTIME run`. The bundle stays in
the folder that TMPDIR names. Where v1 and v2 cgroups are mounted side by side, which crun refuses, the runtime sees v1 alone.
"""

import ctypes
import json
import os
import sys
import tempfile

CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000  # linux/sched.h, linux/mount.h
libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, kind: str, flags: int) -> None:
    if libc.mount(source.encode(), target.encode(), kind.encode(), flags, None):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), target)


def only_v1() -> None:
    """A mount namespace of our own in which /sys/fs/cgroup holds the v1 hierarchies alone."""
    libc.unshare(CLONE_NEWNS)
    mount("none", "/", "none", MS_REC | MS_PRIVATE)
    top = "/sys/fs/cgroup"
    held = {name: os.open(f"{top}/{name}", os.O_PATH) for name in os.listdir(top) if name != "unified"}
    mount("tmpfs", top, "tmpfs", 0)
    for name, fd in held.items():
        os.mkdir(f"{top}/{name}")
        mount(f"/proc/self/fd/{fd}", f"{top}/{name}", "none", MS_BIND)
        os.close(fd)


runtime, _, *program = sys.argv[1:]
with open("/proc/self/environ", "rb") as raw:  # Python's own copy may hold an LC_CTYPE of its making
    environment = [os.fsdecode(entry) for entry in raw.read().split(b"\0") if entry]
with open("/proc/self/status") as file:
    own = next(int(line.split()[1], 16) for line in file if line.startswith("CapPrm"))
# linux/capability.h, in the order of their numbers
CAPABILITIES = """
CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST
NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE
SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM
BLOCK_SUSPEND AUDIT_READ
""".split()  # noqa: SIM905 - so many quoted words are hard to read
names = [f"CAP_{name}" for number, name in enumerate(CAPABILITIES) if own >> number & 1]
bundle = tempfile.mkdtemp(prefix="bundle.")
os.mkdir(f"{bundle}/root")
bind, folders = {"type": "bind", "options": ["rbind"]}, []
for name in sorted(os.listdir("/")):
    if os.path.islink(f"/{name}"):
        os.symlink(os.readlink(f"/{name}"), f"{bundle}/root/{name}")
    elif os.path.isdir(f"/{name}") and name != "proc":
        folders.append(f"/{name}")
configuration = {
    "ociVersion": "1.0.0",
    "root": {"path": f"{bundle}/root"},
    "process": {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "cwd": "/",
        "args": program,
        "env": environment,
        "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), names),
    },
    "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}]},
    "mounts": [
        *({**bind, "destination": folder, "source": folder} for folder in folders),
        {"destination": "/proc", "type": "proc", "source": "proc"},
    ],
}
with open(f"{bundle}/config.json", "w") as file:
    json.dump(configuration, file)
if os.path.exists("/sys/fs/cgroup/unified"):
    only_v1()
options = ["--cgroup-manager=disabled"] if os.path.basename(runtime) == "crun" else []
words = [runtime, *options, "--root", f"{bundle}/state", "run", "--bundle", bundle, os.path.basename(bundle)]
os.execvp(runtime, words)  # noqa: S606 - no shell is meant to stand between
