"""`table.py [--save FOLDER] [LAUNCHER…]`: measure launchers, print one Markdown table: which row is passed by which of them.

Without names it takes every launcher below that this machine has. With `--save` the checks are kept, one file of JSON lines
per launcher; a file that is there already is read and not measured again.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONTAIN = shutil.which("contain") or str(HERE.parents[2] / "bin/contain")
SHIM = f"/usr/bin/python3 -IS {HERE}/shims/oci.py"
LAUNCHERS = {
    "contain": f"{CONTAIN} --chroot / --env-all --quiet --",
    "tini": "tini -s --",
    "dumb-init": "dumb-init --",
    "bwrap": "bwrap --dev-bind / / --proc /proc --unshare-pid --",
    "crun": f"{SHIM} crun --",
    "runc": f"{SHIM} runc --",
    "unshare": "unshare --kill-child --pid --fork --mount-proc --",
    "setsid": "setsid -w --",
    "timeout": "timeout --foreground 1000",
    "sudo": "sudo --",
}
ROWS = {
    "S01": "exit 0 to 255",
    "S02": "death by each signal",
    "S03": "core dumps: the program's, not the launcher's",
    "S04": "exit 137, SIGKILL, out of memory told apart",
    "S05": "signals to itself, `abort()`",
    "S06": "signals to the launcher and to its group: once, with value; storms",
    "S07": "^C arrives once",
    "S08": "^\\ arrives once; hang-up leaves nothing",
    "S09": "^Z, fg, bg, a stop of the program's own",
    "S10": "SIGSTOP and SIGCONT lose nothing",
    "S11": "background reads, `tcsetpgrp`, the foreground given back",
    "S12": "SIGWINCH once, the size right",
    "S13": "SIGKILL of the launcher or init: all dead in a second",
    "S14": "signals at any moment of the launch",
    "S15": "`kill 0` reaches neither launcher nor caller",
    "S16": "ignored and blocked signals",
    "S17": "odd callers: SIGCHLD ignored, all blocked, PID 1, a thread",
    "S18": "streams: each byte, each end, each error",
    "S19": "O_NONBLOCK and terminal modes as before",
    "S20": "descriptors from 3 up closed",
    "S21": "closed streams become /dev/null",
    "S22": "umask, nice, limits and other attributes",
    "S23": "session and process group",
    "S24": "children left behind end, at once",
    "S25": "orphans are reaped",
    "S26": "environment byte for byte",
    "S27": "arguments byte for byte",
    "S28": "125, 126, 127",
    "S29": "PTRACE_TRACEME",
    "S30": "vfork, CLONE_PARENT",
    "S31": "a failed exec told with its reason",
    "S32": "ends with the program, p99 below 20 ms",
    "S33": "200 launches at once, a SIGTERM each",
}


def measure(name: str, file: Path) -> None:
    """Run the yardstick, its JSON lines into `file`. Other launchers get less patience: most of what they miss is silence."""
    patience = "1" if name == "contain" else "0.3"
    words = [sys.executable, "-I", str(HERE), "--launcher", LAUNCHERS[name], "--patience", patience, "--pairs", "1240"]
    with tempfile.TemporaryDirectory(prefix="yardstick-table.") as folder, file.open("wb") as out:
        subprocess.run(words, stdout=out, env={**os.environ, "TMPDIR": folder}, check=True, timeout=3600)


def cell(verdicts: Counter[str]) -> str:
    """`all` cases passed, or how many of how many; what is stated in docs/transparency.md is marked so."""
    asked = sum(verdicts.values()) - verdicts["n/a"]
    if not asked:
        return "n/a"
    if verdicts["passes"] == asked:
        return "all"
    if verdicts["passes"] + verdicts["stated"] == asked:
        return f"{verdicts['passes']} of {asked} (*)"
    return f"{verdicts['passes']} of {asked}" if verdicts["passes"] else "none"


def version(name: str) -> str:
    """The first line of what `--version` says."""
    command = {"contain": CONTAIN}.get(name, name)
    said = subprocess.run([command, "--version"], capture_output=True, encoding="utf-8", check=False)
    return (said.stdout or said.stderr).strip().partition("\n")[0]


def main() -> None:
    parser = argparse.ArgumentParser(prog="table.py", description=__doc__)
    parser.add_argument("--save", type=Path, help="a folder for the checks")
    parser.add_argument("names", nargs="*", metavar="LAUNCHER", help=", ".join(LAUNCHERS))
    options = parser.parse_args()
    names = [name for name in options.names or LAUNCHERS if name == "contain" or shutil.which(name)]
    found: dict[str, dict[str, Counter[str]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.save or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            file = folder / f"{name}.jsonl"
            if not file.exists():
                sys.stderr.write(f"{name}: {LAUNCHERS[name]}\n")
                measure(name, file)
            found[name] = defaultdict(Counter)
            for line in file.read_text(encoding="utf-8").splitlines():
                check = json.loads(line)
                found[name][check["row"]][check["verdict"]] += 1
    lines = [f"| row | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for row, title in ROWS.items():
        lines.append(f"| {row} {title} | {' | '.join(cell(found[name][row]) for name in names)} |")
    versions = "; ".join(f"{name}: `{LAUNCHERS[name].replace(str(HERE), 'YARDSTICK')}`, {version(name)}" for name in names)
    sys.stdout.write("\n".join(lines) + f"\n\n{versions}\n")


main()
