"""`contain explain`: the whole plan against golden text, and the refusals that need nothing but words.

To take a deliberate change over: CONTAIN_GOLDEN=write pytest tests/unit -k explain; then read the difference.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from contain.stub import elf

REPOSITORY = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
CONTAIN = str(REPOSITORY / "bin/contain")

# In a network namespace of its own, with the bridge that a Docker host would have.
BRIDGED = """
ip link add docker0 type bridge && ip addr add 192.168.2.1/24 dev docker0 && ip link set docker0 up || exit 77
exec "$@"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "mytask"
    for name in ("proc", "dev", "tmp", "bin"):
        (made / name).mkdir(parents=True)
    for name in ("someprogram", "sh"):
        (made / "bin" / name).write_bytes(elf(b"\xc3"))
        (made / "bin" / name).chmod(0o755)
    return made


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=environment, timeout=30, check=False)


def normal(output: str, root: Path) -> str:
    """The same on every machine: the root by its usual name, no paths and versions of its cgroups, no number of the bridge."""
    lines: list[str] = []
    output = re.sub(r"contain\.\d+\.(?=192)", "contain.IFINDEX.", output)
    for line in output.replace(str(root), "/var/run/mytask").splitlines():
        if "contain-$$" in line and not line.startswith("#"):
            shown = "CGROUP: join" if line.startswith("echo 0 > ") else "CGROUP: make, with its limits"
            if shown not in lines:
                lines.append(shown)
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def compare(output: str, name: str) -> None:
    golden = GOLDEN / name
    if os.environ.get("CONTAIN_GOLDEN") == "write":
        golden.write_text(output, encoding="utf-8")
    assert output == golden.read_text(encoding="utf-8"), f"got:\n{output}"


def test_a_plan_without_limits_is_told_step_by_step(root: Path) -> None:
    options = ["--hostname", "x", "--read-only", "--tmpfs", "/tmp", "--user", "1000", "--workdir", "/tmp"]
    options += ["--env", "GREETING=hello", "--pids-limit", "max"]
    done = run(CONTAIN, "explain", "--chroot", str(root), *options, "--", "sh", "-c", "echo $GREETING")
    assert (done.returncode, done.stderr) == (0, "")
    compare(normal(done.stdout, root), "without-limits.txt")


def test_the_example_of_the_mission_is_told_step_by_step(root: Path) -> None:
    unshare = ["unshare", "--map-root-user", "--net"]
    if not shutil.which("ip") or run(*unshare, "sh", "-c", BRIDGED, "sh", "true").returncode:
        pytest.skip("needs ip and user namespaces, for a bridge of its own")
    options = ["--memory-limit", "1MB", "--cpu-coreids", "0", "--network-address", "192.168.2.17/24"]
    words = [CONTAIN, "explain", "chroot", str(root), *options, "--", "someprogram", "arg1", "arg"]
    done = run(*unshare, "sh", "-c", BRIDGED, "sh", *words)
    if "cgroup" in done.stderr:
        pytest.skip(f"this machine can't limit: {done.stderr.strip()}")
    assert (done.returncode, done.stderr) == (0, "")
    compare(normal(done.stdout, root), "mission.txt")


def test_dry_run_is_another_word_for_explain(root: Path) -> None:
    words = ["--chroot", str(root), "--pids-limit", "max", "--", "sh"]
    assert run(CONTAIN, "explain", *words).stdout == run(CONTAIN, "--dry-run", *words).stdout != ""


def test_explaining_leaves_the_root_as_it_was(tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    (bare / "bin").mkdir(parents=True)
    (bare / "bin/sh").write_bytes(elf(b"\xc3"))
    (bare / "bin/sh").chmod(0o755)
    done = run(CONTAIN, "explain", "--chroot", str(bare), "--pids-limit", "max", "--tmpfs", "/data", "--", "sh")
    assert done.returncode == 0, done.stderr
    for place in ("proc", "dev", "data"):
        assert f"mkdir {bare}/{place}" in done.stdout
    assert [path.name for path in bare.iterdir()] == ["bin"]


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        pytest.param(["--chroot", "ROOT"], 125, "program.*named", marks=pytest.mark.row("B87")),
        pytest.param(["--chroot", "ROOT", "--", ""], 125, "program.*empty", marks=pytest.mark.row("B87")),
        pytest.param(["--", "sh"], 125, "--chroot: no rootfs", id="no root"),
        pytest.param(["--chroot", "ROOT", "--bridge", "br0", "--", "sh"], 125, "requires", marks=pytest.mark.row("B63")),
        pytest.param(["--chroot", "/nonexistent", "--", "sh"], 125, "rootfs.*No such", marks=pytest.mark.row("B65")),
        pytest.param(["--chroot", "/etc/passwd", "--", "sh"], 125, "Not a directory", marks=pytest.mark.row("B66")),
        pytest.param(["--chroot", "/" + "x/" * 2100, "--", "sh"], 125, "name too long", marks=pytest.mark.row("B71")),
        pytest.param(["--chroot", "ROOT", "--tmpfs", "/proc", "--", "sh"], 125, "contain's own", id="over /proc"),
        pytest.param(["--chroot", "ROOT", "--bind", "/nonexistent:/d", "--", "sh"], 125, "--bind /nonexist", id="no source"),
        pytest.param(["--chroot", "ROOT", "--env", "NOSUCH", "--", "sh"], 125, "no such variable", id="no variable"),
    ],
)
def test_what_can_be_refused_from_the_words_is(root: Path, words: list[str], status: int, line: str) -> None:
    done = run(CONTAIN, "explain", *[word.replace("ROOT", str(root)) for word in words])
    assert done.returncode == status
    assert re.search(line, done.stderr), done.stderr
    assert all(said.startswith("contain: ") for said in done.stderr.splitlines())


@pytest.mark.parametrize(
    ("name", "row"),
    [pytest.param("proc", "B72", marks=pytest.mark.row("B72")), pytest.param("dev", "B73", marks=pytest.mark.row("B73"))],
)
def test_a_mount_point_that_is_a_symlink_is_never_followed(root: Path, tmp_path: Path, name: str, row: str) -> None:
    (root / name).rmdir()
    (tmp_path / "host").mkdir()
    (root / name).symlink_to(tmp_path / "host")
    done = run(CONTAIN, "explain", "--chroot", str(root), "--pids-limit", "max", "--", "sh")
    assert done.returncode == 125, row
    assert re.search(f"/{name}: it is a symlink", done.stderr)
