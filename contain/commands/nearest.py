"""What somebody may have meant by an option or a command that is not there: loaded only to refuse it.

First what other programs call the same thing (docker, podman, bwrap, systemd-run, unshare), then the spelling.
"""

import difflib

from contain.commands.words import COMMANDS
from contain.options import TABLE, Option

ELSEWHERE = {
    "chroot": "r root rootfs root-dir dir directory",
    "memory-limit": "m mem memory memory-max memory-high mem-limit max-memory memlimit ram",
    "cpu-core-ids": "c cpu cpus cores core cpuset cpuset-cpus cpu-set cpu-list cpu-ids cpu-affinity allowed-cpus taskset",
    "network-address": "net network ip ip6 ipv4 ipv6 address addr ip-address network-ip",
    "bridge": "b br network-bridge",
    "pids-limit": "p pids pids-max tasks tasks-max max-pids max-tasks",
    "read-only": "ro readonly ro-bind",
    "bind": "v volume mount bind-mount",
    "tmpfs": "tmp",
    "workdir": "w cwd chdir cd working-directory dir-inside wd",
    "env": "e setenv environment",
    "env-all": "E env-host inherit-env",
    "hostname": "n name uts",
    "user": "u uid gid setuid group",
    "allow-setuid": "suid",
    "tty": "t i it ti interactive terminal pty",
    "preserve-fds": "fds pass-fds",
    "cgroup-parent": "cgroup slice",
    "quiet": "q silent",
    "dry-run": "dryrun explain",
    "help": "? usage",
    "version": "V",
}


def hint(kind: str, typed: bytes) -> str:
    """The remedy to name for a word that is no `option`, or no `command`; empty if it is like none."""
    words = typed.decode("ascii", "replace")
    if kind == "option":
        option = nearest_option(words.lstrip("-").partition("=")[0])
        if option is None:
            return ""
        return f"--{option.name} {option.metavar} is the nearest".replace("  ", " ") + "; contain --help lists all"
    commands = [name for name, _, _ in COMMANDS]
    near = difflib.get_close_matches(words.lower(), commands, 1, 0.6)
    return f"contain {near[0]} is the nearest command; contain help lists all" if near else ""


def nearest_option(name: str) -> "Option | None":
    """The option that is most likely meant by `name`; None if none is likely."""
    options = {option.name: option for option in TABLE}
    for meant, others in ELSEWHERE.items():
        if name in others.split():
            return options[meant]
    plain = name.lower().replace("_", "-").strip("-")
    spelled = {spelling: option for option in TABLE for spelling in (option.name, option.alias) if len(spelling) > 1}
    for meant, others in ELSEWHERE.items():
        spelled |= {other: options[meant] for other in others.split() if len(other) > 3}
    if plain in spelled:
        return spelled[plain]
    begun = [option for option in TABLE if len(plain) > 2 and option.name.startswith(plain)]
    near = difflib.get_close_matches(plain, spelled, 1, 0.7)
    return begun[0] if begun else spelled[near[0]] if near else None
