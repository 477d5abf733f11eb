"""`contain man`: the manual page contain(1) in man(7) macros, from the table of options and the prose below."""

import textwrap

import contain
from contain.commands.words import COMMANDS
from contain.errors import ContainError
from contain.options import TABLE

DATE = "2026-11-24"

ABOVE = """\
.SH NAME
contain \\- run any Linux program in a constrained environment
.SH SYNOPSIS
.B contain
.B \\-\\-chroot
.I DIR
.RI [ OPTION " ...] [" \\-\\- "] " PROGRAM " [" ARGUMENT " ...]"
.br
.B contain chroot
.I DIR
.RI [ OPTION " ...] [" \\-\\- "] " PROGRAM " [" ARGUMENT " ...]"
.br
.B contain
.IR COMMAND " [" ARGUMENT " ...]"
.SH DESCRIPTION
.B contain
runs one program with a directory as its whole file system, and with limits on its memory, its cores and its network.
Otherwise it is invisible: standard streams, signals, stops and the exit status are the program's own.
.PP
The program always has mount, process, network, host name, IPC and cgroup namespaces of its own, its own
.I /proc
and a small
.IR /dev ,
and few capabilities.
Without
.B \\-\\-network\\-address
it has loopback only, and no bridge is needed.
When the program ends, all that it started ends with it.
.PP
Options take one dash or two, and their value after a blank or an equals sign.
The first word that is no option is the program;
.B \\-\\-
ends the options.
An option that may not be repeated is refused when it is given twice.
"""

BELOW = """\
.SH VALUES
.TP
.I SIZE
A whole number of bytes, with a unit or without:
kB, MB, GB, TB count in 1000s; KiB, MiB, GiB, TiB and k, m, g, t in 1024s.
Upper or lower case; at least 4096.
Swap is closed: memory and swap together stay below the limit.
.TP
.I LIST
Numbers and ranges with commas between, as the kernel prints them: 1,3 or 0\\-7 or 3,5\\-7.
A core that is not there is refused, never left out.
.TP
.I ADDR/LEN
An IPv4 or IPv6 address that a host may have, with the length of its prefix: 192.168.2.17/24 or fd00::17/64.
The default route goes by the bridge's own address in that subnet, if it has one.
An address that another contained program, the bridge or a machine on it has is refused.
.TP
.I DIR, SRC
A path on the host.
.TP
.I DST, \\fRthe\\fP DIR \\fRof\\fP \\-\\-workdir
A path inside the root, beginning with a slash; symbolic links in DST are not followed.
.SH EXIT STATUS
The program's own.
A program that was killed by a signal kills
.B contain
by the same signal, which a shell shows as 128 and the number of the signal.
A program killed for its memory limit counts as killed by SIGKILL, and a message names the limit.
.TP
.B 125
contain failed, wrong use included
.TP
.B 126
the program can't be executed
.TP
.B 127
the program is not found inside the root
.PP
What contain says goes to standard error, one line each, and begins with
.RB \\(dq "contain: " \\(dq.
.SH FILES
.TP
.I /sys/fs/cgroup/.../contain\\-PID
the groups of a running launch, on cgroup v1 beneath those of the caller;
removed at its end, or by the next launch if the launcher was killed
.TP
.I /sys/fs/cgroup/contain
on cgroup v2, where no group above the caller's hands out the controllers needed: the group that holds those of all launches
.PP
There is no configuration, no state directory and no daemon.
.SH EXAMPLES
A program with all four limits:
.PP
.EX
contain chroot /srv/mytask \\-\\-memory\\-limit 64MB \\-\\-cpu\\-core\\-ids 1,3 \\e
        \\-\\-network\\-address 192.168.2.17/24 \\-\\-bridge br0 \\-\\- someprogram arg1 arg2
.EE
.PP
A bridge for it, if there is none:
.PP
.EX
ip link add br0 type bridge
ip addr add 192.168.2.1/24 dev br0
ip link set br0 up
.EE
.PP
A shell in a root of its own, with loopback only:
.PP
.EX
contain chroot /srv/mytask sh
.EE
.PP
One core for a build, on the host's own files:
.PP
.EX
contain chroot / \\-\\-cpu\\-core\\-ids 0 \\-\\-workdir /usr/src/linux \\-\\- make
.EE
.SH NOTES
Needs root, x86\\-64, Linux 5.14 or newer and Python 3.11 or newer.
.PP
Root inside is the host's root with few capabilities, not another user.
There is no system call filter and no user namespace yet: do not run programs that you know to be hostile.
With
.B \\-\\-chroot /
the host's files are the program's, which limits it but is no wall.
.SH SEE ALSO
.BR chroot (1),
.BR unshare (1),
.BR nsenter (1),
.BR ip\\-netns (8),
.BR namespaces (7),
.BR cgroups (7),
.BR capabilities (7)
"""


def roff(words: str) -> str:
    """Plain words as roff takes them literally, at the beginning of a line too."""
    escaped = words.replace("\\", "\\e").replace("-", "\\-").replace("…", "...").replace('"', "\\(dq")
    return "\\&" + escaped if escaped[:1] in (".", "'") else escaped


def page() -> str:
    """The whole page."""
    lines = [f'.TH CONTAIN 1 {DATE} "contain {contain.__version__}" "User Commands"', ABOVE + ".SH OPTIONS"]
    for group in dict.fromkeys(option.group for option in TABLE):
        lines.append(f".SS {roff(group)}")
        for option in TABLE:
            if option.group == group:
                spelled = f"\\fB\\-\\-{roff(option.name)}\\fP"
                spelled += f" \\fI{roff(option.metavar)}\\fP" if option.metavar else ""
                dashes = "\\-\\-" if len(option.alias) > 1 else "\\-"
                spelled += f", \\fB{dashes}{roff(option.alias)}\\fP" if option.alias else ""
                lines += [".TP", spelled, roff(option.help)]
    lines.append(".SH COMMANDS\nA command is the first word; a program never is, because its root is named before it.")
    for name, arguments, help_text in COMMANDS:
        lines += [".TP", f"\\fB{name}\\fP {roff(arguments)}".rstrip(), roff(help_text)]
    return "".join(f"{folded}\n" for line in ("\n".join(lines) + "\n" + BELOW).splitlines() for folded in fold(line))


def fold(line: str) -> list[str]:
    """A line of text in pieces of at most 80 characters, as the tools of manual pages ask; a macro stays as it is."""
    if line.startswith(".") or len(line) <= 80:
        return [line]
    pieces = textwrap.wrap(line, 78, break_long_words=False, break_on_hyphens=False)
    return ["\\&" + piece if piece[0] in ".'" else piece for piece in pieces]


def main(words: list[bytes]) -> int:
    """Print the page."""
    if words:
        raise ContainError("contain man", "it takes no arguments", "contain man | man -l -")
    print(page(), end="")
    return 0
