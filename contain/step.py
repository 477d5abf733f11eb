"""A step of a plan: a small record that is done by `run()` and told by `str()`.

The text is the nearest shell line. It is what `contain explain` prints and what heads the error when the step fails, so
that what is said can't drift from what is done; every field of a step stands in its text.
"""


class Live:
    """What earlier steps opened for later ones. Numbers only, so that a fork carries it along."""

    def __init__(self) -> None:
        self.init = 0  # process id of PID 1, as the launcher sees it
        self.init_fd = -1  # its pidfd
        self.root = -1  # the new root: a detached mount, attached later
        self.old_root = -1  # the root of the new mount namespace, before it is left
        self.proc = -1  # the new procfs, by which sysctls are written and paths masked
        self.devpts = -1  # the new devpts, where one is made before /dev is
        self.dev = -1  # the new tmpfs on /dev, whose null masks files
        self.attached: set[int] = set()  # the mounts of --bind and --tmpfs, by their numbers in mountinfo
        self.sealed: set[int] = set()  # the pseudo file systems that were made harmless, by the same


class Step:
    """One deed. `run` raises OSError with the kernel's errno, or ContainError where it knows more than an errno says."""

    def run(self, live: Live) -> None:
        """Do it."""
        raise NotImplementedError

    def undo(self) -> None:
        """Take it back; only steps of the launcher on the host have something to take back."""

    def hint(self, errno: int) -> str:
        """The remedy to name when the kernel answers `errno`; empty where there is none."""
        return ""
