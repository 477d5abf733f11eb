#!/usr/bin/env python3
"""contain beside crun, runc and bubblewrap: the same work at each, round-robin in one run, whole processes by the wall.

As root: bench/side_by_side.py [--runs 40] [--gap 60] [--json FILE]. docs/speed.md says what the columns mean.
It lives in mount and network namespaces of its own: bridge, network namespaces and mounts are gone with it, whatever happens.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.peers import BRIDGE, CGROUPS, COLUMNS, commands
from contain import __version__
from contain.stub import elf

EXIT_0 = elf(bytes.fromhex("b8e700000031ff0f05"))  # exit_group(0): the program costs nothing
INSIDE = "CONTAIN_BENCH_INSIDE"

Samples = dict[str, dict[str, list[tuple[float, float]]]]  # by column and tool: (wall, processor) in milliseconds


def enter(arguments: list[str]) -> None:
    """Start again in namespaces of our own, and make there what the columns need."""
    if os.environ.get(INSIDE) is None:
        unshare = ["unshare", "--mount", "--propagation", "private", "--net", sys.executable, __file__, *arguments]
        os.execvpe("unshare", unshare, os.environ | {INSIDE: "1"})  # noqa: S606
    if (CGROUPS / "unified").exists():  # hybrid, in which crun gives up: show it the v1 hierarchies alone
        own = tempfile.mkdtemp()
        subprocess.run(["mount", "--rbind", CGROUPS, own], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "none", CGROUPS], check=True)
        for part in Path(own).iterdir():
            if part.name != "unified" and part.is_mount():
                (CGROUPS / part.name).mkdir()
                subprocess.run(["mount", "--bind", part, CGROUPS / part.name], check=True)
        subprocess.run(["umount", "--recursive", own], check=True)
        Path(own).rmdir()
    Path("/run/netns").mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run/netns"], check=True)
    for words in (
        f"link add {BRIDGE} type bridge",
        f"addr add 10.217.45.1/24 dev {BRIDGE}",
        f"link set {BRIDGE} up",
        "link set lo up",
    ):
        subprocess.run(["ip", *words.split()], check=True)


def timed(command: list[str], errors: Path) -> tuple[float, float]:
    """Milliseconds from before the first process is made to after it is reaped, and of processors in all that was reaped."""
    program = shutil.which(command[0]) or command[0]
    actions = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1)]
    actions.append((os.POSIX_SPAWN_OPEN, 2, str(errors), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    start = time.perf_counter()
    _, status, usage = os.wait4(os.posix_spawn(program, command, os.environ, file_actions=actions), 0)
    elapsed = (time.perf_counter() - start) * 1000
    if status:
        raise SystemExit(f"{' '.join(command)}\nstatus {status}: {errors.read_text(encoding='utf-8', errors='replace')}")
    return elapsed, (usage.ru_utime + usage.ru_stime) * 1000


def spread(values: list[float]) -> dict[str, float]:
    tenths = statistics.quantiles(values, n=10, method="inclusive")
    return {"median": statistics.median(values), "min": min(values), "p10": tenths[0], "p90": tenths[-1]}


def versions() -> dict[str, str]:
    found = {"contain": f"{__version__} on Python {platform.python_version()}"}
    for tool in ("crun", "runc", "bwrap"):
        if shutil.which(tool):
            told = subprocess.run([tool, "--version"], capture_output=True, text=True, encoding="utf-8", check=True).stdout
            found[tool] = told.splitlines()[0].split()[-1]
    return found | {"kernel": platform.release(), "cpus": str(os.cpu_count())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=40, help="rounds that count; three more come before (default: 40)")
    parser.add_argument("--gap", type=float, default=0, help="idle milliseconds before each start (default: 0)")
    parser.add_argument("--columns", default="abcd", help="which of a, b, c, d (default: all)")
    parser.add_argument("--json", metavar="FILE", help="write everything measured to FILE")
    asked = parser.parse_args()
    enter(sys.argv[1:])
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="containbench") as folder:
        root = Path(folder) / "root"
        for name in ("proc", "dev", "sys"):
            (root / name).mkdir(parents=True)
        (root / "true").write_bytes(EXIT_0)
        (root / "true").chmod(0o755)
        todo = commands(root, asked.columns)
        seen: Samples = {column: {tool: [] for tool in tools} for column, tools in todo.items()}
        try:
            for number in range(-3, asked.runs):
                for column, tools in todo.items():
                    for tool, command in tools.items():
                        time.sleep(asked.gap / 1000)
                        elapsed = timed(command, Path(folder) / "errors")
                        if number >= 0:
                            seen[column][tool].append(elapsed)
        finally:
            for group in [*CGROUPS.glob("containbench-*"), *CGROUPS.glob("*/containbench-*")]:
                group.rmdir()
    show(seen, asked.runs, asked.gap, load, asked.json)


def show(seen: Samples, runs: int, gap: float, load: float, file: str | None) -> None:
    """The table for people; everything for machines."""
    known = versions()
    out = [", ".join(f"{name} {version}" for name, version in known.items())]
    out += [f"{time.strftime('%Y-%m-%d')}, {runs} rounds, {gap:g} ms between starts, load before {load:.2f}; milliseconds", ""]
    out.append(f"{'':8}{'median':>8}{'min':>8}{'p10':>8}{'p90':>8}{'cpu':>8}   contain / it (p10..p90)")
    report: dict[str, dict[str, object]] = {}
    for column, tools in seen.items():
        out.append(f"{column}: {COLUMNS[column]}")
        report[column] = {}
        for tool, values in tools.items():
            time_of = spread([wall for wall, _ in values])
            ratio = spread([own / its for (own, _), (its, _) in zip(tools["contain"], values, strict=True)])
            time_of["cpu"] = statistics.median(cpu for _, cpu in values)
            row = f"  {tool:8}" + "".join(f"{time_of[key]:8.1f}" for key in ("median", "min", "p10", "p90", "cpu"))
            out.append(row if tool == "contain" else f"{row}   {ratio['median']:.2f} ({ratio['p10']:.2f}..{ratio['p90']:.2f})")
            report[column][tool] = {"ms": time_of, "contain_to_it": ratio, "all": values}
    sys.stdout.write("\n".join(out) + "\n")
    if file:
        everything = {
            "versions": known,
            "date": time.strftime("%F %T"),
            "runs": runs,
            "gap": gap,
            "load": load,
            "columns": report,
        }
        Path(file).write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
