"""`contain explain OPTION … PROGRAM`: what a launch would do, one step a line, in the order and in the place it is done."""

import sys

from contain import options, plan, relay
from contain.commands import causes, help  # noqa: A004 - the command
from contain.errors import FAILED, ContainError, report, word
from contain.step import Plan, Step


class Missing(Step):
    """What is not there, or not as a launch needs it, in the place of the step that needs it."""

    def __init__(self, error: ContainError) -> None:
        self.error = error

    def __str__(self) -> str:
        return f"# missing: {self.error}"


def main(words: "list[bytes]") -> int:
    """Print the plan for the options and do nothing. Needs no root. 125 if a launch would be refused for what is missing."""
    asked = options.parse(words)
    if asked.help:
        return help.main([b"explain"])
    asked.dry_run = True
    missing: list[ContainError] = []

    def mark(error: ContainError) -> Step:
        try:
            causes.add(error, words)
        except OSError:
            pass  # it is told as it is
        missing.append(error)
        return Missing(error)

    tell(plan.make(asked, relay.caller_environment(), mark))
    sys.stdout.flush()
    for error in missing:
        report(error)
    return FAILED if missing else 0


def tell(made: Plan) -> None:
    """The whole recipe."""
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


def lines(steps: "list[Step]") -> None:
    """One step a line."""
    for step in steps:
        print(step)
