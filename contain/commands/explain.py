"""`contain explain OPTIONS -- PROGRAM`: what a launch would do, one step a line, in the order and in the place it is done."""

from contain import options, plan, relay
from contain.commands import help  # noqa: A004 - the command
from contain.errors import word
from contain.step import Step


def main(words: "list[bytes]") -> int:
    """Print the plan for the options and do nothing. Needs no root."""
    asked = options.parse(words)
    if asked.help:
        return help.main([b"explain"])
    asked.dry_run = True
    made = plan.make(asked, relay.caller_environment())
    for line in made.warnings:
        print(f"# warning: {line}")
    print("# On the host, before anything starts (and taken back at the end, last first):")
    lines(made.host)
    print("# In init, PID 1 of the new pid namespace:")
    lines(made.namespaces)
    if made.link:
        print("# On the host, meanwhile:")
        lines(made.link)
        print("# In init again:")
    lines([*made.root, *made.inside])
    print("exec init  # 300 bytes of machine code: wait for the launcher's end, reap orphans")
    print("# In the program, PID 2:")
    lines([*made.before, *made.program])
    environment = " ".join([word(entry) for entry in made.environment])
    print(f"exec env -i {environment} {' '.join([word(argument) for argument in made.argv])}")
    return 0


def lines(steps: "list[Step]") -> None:
    """One step a line."""
    for step in steps:
        print(step)
