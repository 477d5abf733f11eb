"""`contain --help`: short, grouped, examples first; from the table of options."""

from contain.options import TABLE

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
Commands: chroot DIR …, explain …, demo [--keep], gc, man, completion bash|zsh|fish.
Exit status: the program's own, or death by its signal; 125 contain failed, 126 can't be executed, 127 not found.
"""


def main(words: "list[bytes]") -> int:
    """Print the help."""
    print(HEAD)
    width = max(len(option.name) + len(option.metavar) for option in TABLE) + 5
    for group in dict.fromkeys(option.group for option in TABLE):
        print(f"{group}:")
        for option in TABLE:
            if option.group == group:
                spelled = f"--{option.name} {option.metavar}".rstrip()
                print(f"  {spelled:<{width}} {option.help}")
        print()
    print(TAIL, end="")
    return 0
