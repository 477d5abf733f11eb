"""`contain gc`: remove what killed launchers left, wherever in the cgroup hierarchies it is."""

import os

from contain import cgroup, hierarchy
from contain.errors import ContainError, text
from contain.placement import SHARED


def main(words: "list[bytes]") -> int:
    """Walk the hierarchies, remove every group of a dead launcher, print what was removed."""
    if words:
        raise ContainError("contain gc", "it takes no arguments")
    for found in hierarchy.present():
        if found.version == 2 or found.controllers:
            for directory, _, _ in os.walk(found.mount, topdown=False):
                for removed in cgroup.sweep(directory):
                    print(f"removed {text(removed)}")
        if found.version == 2:
            try:
                os.rmdir(found.path(SHARED))
            except OSError:
                pass  # not there, or in use
    return 0
