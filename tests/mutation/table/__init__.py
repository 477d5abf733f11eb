"""The table of all mutants."""

from tests.mutation.mutants import Mutant

from . import limits, network, transparency, walls

MUTANTS: tuple[Mutant, ...] = (*limits.MUTANTS, *walls.MUTANTS, *network.MUTANTS, *transparency.MUTANTS)
