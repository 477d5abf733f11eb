"""`python -m tests.mutation`: each broken launcher of the table against the tests that must notice it.

    python -m tests.mutation                          all of them, on this machine
    python -m tests.mutation --host bookworm          in a guest, which is booted
    python -m tests.mutation no-cpuset wrong-gateway  these two
    python -m tests.mutation --list                   what there is
    python -m tests.mutation -x -v --keep-vm          any other option is pytest's

Ends with 0 if every test that the table names passes with the sound launcher and is red with each broken one that names it.
"""

import argparse
import sys

import pytest

from . import fixtures
from .gate import Gate
from .mutants import CHECKOUT, OutdatedError
from .table import MUTANTS

PATIENCE = 2.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description="Do the tests notice a broken launcher?")
    parser.add_argument("mutant", nargs="*", help="the broken launchers to try (default: all)")
    parser.add_argument("--host", default="local", help="local, a guest, a group or an ssh host (default: local)")
    parser.add_argument("--ssh-config", help="an ssh configuration that knows the host")
    parser.add_argument("--patience", type=float, default=PATIENCE, metavar="N",
                        help="wait N times as long as a fast machine needs, no longer (default: %(default)g)")  # fmt: skip
    parser.add_argument("--list", action="store_true", help="name them, and say what each does wrong")
    given, pytests = parser.parse_known_args()
    if unknown := set(given.mutant) - {mutant.name for mutant in MUTANTS}:
        parser.error(f"there is no {', '.join(sorted(unknown))}; --list names all")
    mutants = [mutant for mutant in MUTANTS if not given.mutant or mutant.name in given.mutant]
    if given.list:
        for mutant in mutants:
            sys.stdout.write(f"{mutant.name:24} {mutant.broken}\n")
        return 0
    files = sorted({test.partition("::")[0] for mutant in mutants for test in mutant.tests})
    words = [f"--rootdir={CHECKOUT}", f"--host={given.host}", "--anywhere", *pytests]
    words += [f"--ssh-config={given.ssh_config}"] if given.ssh_config else []
    words += [str(CHECKOUT / "tests" / "integration" / file) for file in files]
    try:
        gate = Gate(mutants, given.patience)
    except OutdatedError as error:
        parser.error(f"a mutant is outdated: {error}")
    return pytest.main(words, plugins=[gate, fixtures])


sys.exit(main())
