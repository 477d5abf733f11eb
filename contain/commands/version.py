"""`contain version`, `contain --version`."""

import contain
from contain.errors import ContainError


def main(words: "list[bytes]") -> int:
    """Print the version."""
    if words:
        raise ContainError("contain version", "it takes no arguments")
    print(f"contain {contain.__version__}")
    return 0
