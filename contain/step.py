"""A plan and its steps. A step is a small record that is done by `run()` and told by `str()`.

The text is the nearest shell line. It is what `contain explain` prints and what heads the error when the step fails, so
that what is said can't drift from what is done; every field of a step stands in its text.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from contain.cgroup import Group
    from contain.errors import ContainError
    from contain.terminal import Terminal


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


class Plan:
    """The steps by who does them and when, and what is executed at the end; launch.py has the picture."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.host: list[Step] = []  # the launcher, each with its undo
        self.namespaces: list[Step] = []  # init, up to the network namespace
        self.link: list[Step] = []  # the launcher, once that is there
        self.root: list[Step] = []  # init, at the same time
        self.inside: list[Step] = []  # init, when both are done
        self.before: list[Step] = []  # the program, while it waits for init
        self.program: list[Step] = []  # the program, when init is ready
        self.groups: list[Group] = []
        self.terminal: Terminal | None = None  # the program's own
        self.name = b""
        self.argv: list[bytes] = []
        self.environment: list[bytes] = []
        self.paths: tuple[bytes, ...] = ()
        self.root_fd = -1
        self.keep = 3
        self.user = (0, 0)
        self.memory_limit = 0
        # Makes a line of what is not there, in a plan that is only told.
        self.mark: Callable[[ContainError], Step] | None = None

    def go_without(self, error: "ContainError", lines: "list[Step]") -> None:
        """What `error` says is missing becomes one of `lines`, if this plan is only told. Raises it else."""
        if self.mark is None:
            raise error
        lines.append(self.mark(error))

    def steps(self) -> "list[Step]":
        """All steps, in the order of their numbers in a child's report; the last number means the exec itself."""
        return self.host + self.namespaces + self.link + self.root + self.inside + self.before + self.program

    def number(self, step: Step) -> int:
        """The number by which a child reports that `step` failed."""
        return self.steps().index(step)
