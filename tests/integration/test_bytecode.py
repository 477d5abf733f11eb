"""The launcher's own bytecode: kept whole or not at all, whatever the caller's limits or the disk leave of a write."""

from collections.abc import Callable, Iterator

import pytest

from tests.integration.harness.host import Host
from tests.integration.harness.link import PYTHON

# A copy of the launcher that has no bytecode yet: of a checkout, or of what pip put somewhere.
COPY = """
    script=$(readlink -f "$1")
    for package in "${script%/bin/contain}" "${script%/bin/contain}"/lib/python3*/*-packages; do
        [ ! -e "$package/contain/launch.py" ] || break
    done
    mkdir -p "$2/bin"
    cp "$script" "$2/bin/contain"
    cp -r "$package/contain" "$2/contain"
    find "$2" -name __pycache__ -prune -exec rm -r {} +
"""
# What is left of bytecode and can't be read; a name with something behind `.pyc` is that of an unfinished write.
DAMAGED = """
import marshal, pathlib, sys
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.pyc*")):
    try:
        marshal.loads(path.read_bytes()[16:])
    except Exception as error:
        print(path, error)
    else:
        if path.suffix != ".pyc":
            print(path)
"""


@pytest.fixture
def fresh(host: Host) -> Iterator[str]:
    path = host.new("launcher")
    host.shell(COPY, host.contain_path, path)
    yield path
    host.run("rm", "-r", path)


def launches(host: Host, launcher: str, rootfs: str) -> None:
    """Each way to use it works: a plain launch, what --tty loads late, a command."""
    for options, out in [((), b"on"), (("--tty",), b"on"), (("--dry-run",), b"")]:
        ran = host.finish(f"{launcher}/bin/contain", "--chroot", rootfs, "--quiet", *options, "--", "echo", "-n", "on")
        assert (ran.status, ran.stderr) == (0, b""), ran
        assert out in ran.stdout, ran


def whole(host: Host, launcher: str) -> None:
    assert host.run(PYTHON, "-IS", "-c", DAMAGED, launcher).text == ""


@pytest.mark.parametrize("limit", ["0", "1", "4096", "8192"])
def test_a_file_size_limit_of_one_launch_harms_no_later_one(host: Host, fresh: str, rootfs: str, limit: str) -> None:
    for options in ((), ("--tty",), ("--help",)):
        words = (f"{fresh}/bin/contain", "--chroot", rootfs, "--quiet", *options, "--", "true")
        ran = host.finish("prlimit", f"--fsize={limit}", *words)
        assert ran.status in (0, 125), ran
        assert ran.status == 0 or b"file size" in ran.stderr, ran
    whole(host, fresh)
    launches(host, fresh, rootfs)
    whole(host, fresh)


def test_a_full_disk_harms_no_later_launch(host: Host, rootfs: str, mounted: Callable[..., str]) -> None:
    place = mounted("tmpfs", "size=4m")
    host.shell(COPY, host.contain_path, place)
    # Room for some modules' bytecode and for the first page of the next.
    host.shell('head -c 4m /dev/zero > "$1/rest" 2>/dev/null || true; truncate -s -100k "$1/rest"', place)
    launches(host, place, rootfs)
    whole(host, place)
    host.run("rm", f"{place}/rest")
    launches(host, place, rootfs)
    whole(host, place)


@pytest.mark.parametrize("damage", ["truncate -s 4096", "truncate -s 1", "truncate -s 60", "truncate -s +1"])
def test_damaged_bytecode_is_made_anew(host: Host, fresh: str, rootfs: str, damage: str) -> None:
    launches(host, fresh, rootfs)
    host.shell(f'find "$1" -name "*.pyc" -exec {damage} {{}} +', fresh)
    for _ in range(2):
        launches(host, fresh, rootfs)
    whole(host, fresh)


def test_damaged_bytecode_that_cannot_be_replaced_is_no_hindrance(
    host: Host, fresh: str, rootfs: str, mounted: Callable[..., str]
) -> None:
    launches(host, fresh, rootfs)
    host.shell('find "$1" -name "*.pyc" -exec truncate -s 4096 {} +', fresh)
    launches(host, mounted("bind", "ro", fresh), rootfs)
