"""`contain --version`."""

import contain


def main(words: "list[bytes]") -> int:
    """Print the version."""
    print(f"contain {contain.__version__}")
    return 0
