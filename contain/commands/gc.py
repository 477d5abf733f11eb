"""`contain gc`: remove what killed launchers left, wherever in the cgroup hierarchies it is."""

import os

from contain import cgroup, hierarchy
from contain.errors import ContainError, text
from contain.placement import SHARED


def main(words: "list[bytes]") -> int:
    """Walk the hierarchies, remove every group of a dead launcher, print what was removed."""
    if words:
        raise ContainError("contain gc", "it takes no arguments")
    if os.geteuid():
        raise ContainError("contain gc", "what it removes is root's, and so it needs root", "sudo contain gc")
    removed: list[bytes] = []
    for found in hierarchy.present():
        if found.version == 2 or found.controllers:
            for directory, _, _ in os.walk(found.mount, topdown=False):
                removed += cgroup.sweep(directory)
        if found.version == 2:
            try:
                os.rmdir(found.path(SHARED))
            except OSError:
                pass  # not there, or in use
    for group in removed:  # only now, for whoever reads may have enough before the end
        print(f"removed {text(group)}")
    return 0
