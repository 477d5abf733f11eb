"""The start-up budget, held by its cause: which modules a launch loads, and that none is loaded late."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
MODULES = sorted((REPOSITORY / "contain").glob("*.py"))

# Each of these costs a launch from half a millisecond to a hundred.
TOO_DEAR = {
    "argparse", "typing", "dataclasses", "enum", "re", "subprocess", "socket", "_socket", "signal", "ctypes", "logging",
    "json", "ipaddress", "pathlib", "os", "collections", "functools", "contextlib", "site", "warnings", "struct", "select",
    "tempfile", "shutil", "stat", "pyroute2",
}  # fmt: skip

# What the launcher itself loads, on the host, to find words for a program that is not executed.
WORDS = {("program", "where_it_ends"), ("program", "refusal")}

# Imports that are late on purpose: a subcommand, or a refusal to find words for, which is no launch; while the plan is made,
# what --tty, a small memory limit or an odd caller needs.
BEFORE_ANY_FORK = {
    ("cli", "command"), ("cli", "name_the_nearest"), ("cli", "look_further"), *WORDS, ("plan", "_own_terminal"),
    ("plan", "_read_ahead"), ("inherited", "_restored"),
}  # fmt: skip

# A whole plan is made, so that an import on the way to it would show.
A_LAUNCH = """
import sys
sys.path.insert(0, sys.argv[1])
from contain import cli, launch
from contain.options import parse
from contain.plan import make
from contain.relay import caller_environment
words = ["--chroot", sys.argv[2], "--dry-run", "--pids-limit", "max", "--env-all",
         "--tmpfs", "/tmp", "--hostname", "x", "--user", "1000", "--", "prog"]
options = parse([word.encode() for word in words])
try:
    plan = make(options, caller_environment())
    launch.Launch(plan)
except launch.ContainError:
    pass
print("\\n".join(sorted(sys.modules)))
"""


def parsed(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"), str(module))


def imported(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    return {node.module or ""} if isinstance(node, ast.ImportFrom) else set()


def test_a_launch_loads_nothing_dear(tmp_path: Path) -> None:
    for name in ("proc", "dev", "bin"):
        (tmp_path / name).mkdir()
    command = [sys.executable, "-IS", "-c", A_LAUNCH, str(REPOSITORY), str(tmp_path)]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout.split()
    assert "contain.launch" in loaded
    assert not TOO_DEAR & set(loaded)
    assert not [name for name in loaded if name.startswith("contain.commands")]
    assert not {"contain.terminal", "contain.restored", "contain.bytecode"} & set(loaded), "only who needs them pays for them"


def test_what_is_loaded_besides_the_interpreters_own_is_known(tmp_path: Path) -> None:
    """A new name here is a decision: measure what it costs, then add it."""
    bare = [sys.executable, "-IS", "-c", "import sys; print('\\n'.join(sys.modules))"]
    before = subprocess.run(bare, check=True, capture_output=True, text=True, encoding="utf-8").stdout.split()
    command = [sys.executable, "-IS", "-c", A_LAUNCH, str(REPOSITORY), str(tmp_path)]
    after = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout.split()
    added = {name for name in set(after) - set(before) if name.partition(".")[0] != "contain"}
    assert added <= {"_ctypes", "_struct", "gc", "time"}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_only_one_module_opens_the_door_to_the_kernel(module: Path) -> None:
    names = {name for node in ast.walk(parsed(module)) for name in imported(node)}
    assert ("_ctypes" in names) == (module.stem == "linux")
    assert not {"_socket", "_signal", "_posixsubprocess"} & names


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_nothing_is_imported_after_the_start(module: Path) -> None:
    """After pivot_root an import would read, and run, files of the contained root as root of the host."""
    late = [
        f"{module.name}: in {function.name}()"
        for function in ast.walk(parsed(module))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom) or named(node) in ("__import__", "import_module")
        if (module.stem, function.name) not in BEFORE_ANY_FORK
    ]
    assert late == []


def named(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "id", "") or getattr(node.func, "attr", "")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_only_the_standard_library_and_no_wildcard(module: Path) -> None:
    for node in ast.walk(parsed(module)):
        for name in imported(node):
            top = name.partition(".")[0]
            assert top == "contain" or top in sys.stdlib_module_names
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert [alias.name for alias in node.names] != ["*"]


def test_the_command_starts_its_interpreter_without_site() -> None:
    first = (REPOSITORY / "bin/contain").read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("#!/")
    assert "-IS" in first.split()[1:]
