"""`contain help [COMMAND]`, `contain --help`: short, grouped, examples first; from the tables of options and commands."""

from contain.commands.words import COMMANDS
from contain.errors import ContainError, text
from contain.options import TABLE, UnknownWordError

HEAD = """\
contain runs any Linux program in a constrained environment, and is otherwise invisible.

  contain --chroot /srv/rootfs --memory-limit 64MB --cpu-core-ids 1,3 \\
          --network-address 192.168.2.17/24 --bridge br0 -- someprogram arg1 arg2
  contain chroot /srv/rootfs sh                 a shell in a root of its own, with loopback only
  contain chroot / --cpu-core-ids 0 -- make     one core, the host's files
  contain explain --chroot /srv/rootfs -- sh    what would be done, step by step
  contain demo                                  two contained programs ping each other
"""
TAIL = """\
Options take one dash or two, a blank or =. The first word that is no option is the program; -- ends the options.
Commands: chroot DIR …, explain …, demo [--keep], gc, man, completion bash|zsh|fish, version, help COMMAND.
Exit status: the program's own, or death by its signal; 125 contain failed, 126 can't be executed, 127 not found.
"""


def main(words: "list[bytes]") -> int:
    """Print the help: all of it, or that of the command that is named."""
    if len(words) > 1:
        raise ContainError("contain help", "it takes one command", "contain help lists them")
    if words:
        of_command(words[0])
        return 0
    print(HEAD)
    options()
    print(TAIL, end="")
    return 0


def of_command(asked: bytes) -> None:
    """How one command is used; the two that take the words of a launch take its options."""
    for name, arguments, words in COMMANDS:
        if name.encode("ascii") == asked:
            print(f"contain {name} {arguments}".rstrip())
            print(f"  {words}")
            if name in ("chroot", "explain"):
                print()
                options()
            return
    shown = f"contain help {text(asked[:200])}"
    raise UnknownWordError("command", asked, shown, "there is no such command", "contain help lists them")


def options() -> None:
    """The table of options, by groups."""
    width = max(len(option.name) + len(option.metavar) for option in TABLE) + 5
    for group in dict.fromkeys(option.group for option in TABLE):
        print(f"{group}:")
        for option in TABLE:
            if option.group == group:
                spelled = f"--{option.name} {option.metavar}".rstrip()
                print(f"  {spelled:<{width}} {option.help}")
        print()
