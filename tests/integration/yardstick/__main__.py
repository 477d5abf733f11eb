"""`python3 -IS YARDSTICK --launcher WORDS [NAME…]`: measure, and print one JSON line per check."""

import argparse
import json
import os
import resource
import shlex
import signal
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from importlib import import_module

if not __package__:  # started as a folder: its modules import each other as a package all the same
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[0] = os.path.dirname(here)
    __package__ = os.path.basename(here)

from .measure import Launcher, Measure, sweep
from .rows import Check, chosen
from .workers import adopt_orphans, spread


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="yardstick", description="Compare a command bare and through a launcher.")
    parser.add_argument("--launcher", default="contain --chroot / --env-all --quiet --", help="the words before the program's")
    parser.add_argument("--patience", type=float, default=1.0, help="stretches every time limit")
    parser.add_argument("--pairs", type=int, default=200, help="how many (signal, moment) pairs are tried")
    parser.add_argument("--seed", type=int, default=4, help="the seed of their choice")
    parser.add_argument("--workers", type=int, default=max(4, os.cpu_count() or 1), help="checks at a time")
    parser.add_argument("names", nargs="*", help="rows (S01) or parts of them (exit_statuses); all without")
    return parser.parse_args()


def measured(measure: Measure, names: list[str], workers: int) -> Iterator[Check]:
    """All checks of the named rows: first what may run side by side, then what must be alone."""
    rows = chosen(names)
    jobs = []
    for row in rows:
        if row.alone:
            continue
        if row.whole:
            jobs.append(partial(row.answer, measure, row.cases))
        else:
            jobs += [partial(row.answer, measure, (case,)) for case in row.cases]
    yield from spread(jobs, workers)
    for row in rows:
        if row.alone:
            yield from row.answer(measure, row.cases)
            sweep()


def main() -> None:
    options = arguments()
    package = os.path.dirname(os.path.abspath(__file__))
    for name in sorted(os.listdir(package)):
        if name.startswith("rows_") and name.endswith(".py"):
            import_module(f".{name.removesuffix('.py')}", __package__)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # Whatever is made to die of a signal here dumps no core, unless its row allows it to.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    adopt_orphans()
    launcher = Launcher(shlex.split(options.launcher))
    with tempfile.TemporaryDirectory(prefix="yardstick.", dir="/root") as folder:
        measure = Measure(launcher, folder, options.patience, options.pairs, options.seed)
        for check in measured(measure, options.names, options.workers):
            sys.stdout.write(json.dumps(check.as_dict()) + "\n")
            sys.stdout.flush()


main()
