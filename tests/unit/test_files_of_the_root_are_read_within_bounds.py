"""program.py and warm.py: only regular files are opened, numbers in them may be any, and only so much is read ahead."""

import os
import socket
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import pytest

from contain import program, warm
from contain.errors import NOT_EXECUTABLE, NOT_FOUND
from contain.step import Live
from tests.integration.harness import elf

WHOLE = elf.dynamic("/lib/loader", "libneeded.so")
MIB = 1 << 20


def needs(raw: bytes) -> tuple[bytes, list[bytes]]:
    fd = os.memfd_create("elf")
    try:
        os.write(fd, raw)
        return program.elf_needs(fd, raw[:4096])
    finally:
        os.close(fd)


def test_loader_and_library_are_found_in_a_whole_file() -> None:
    assert needs(WHOLE) == (b"/lib/loader", [b"libneeded.so"])


@pytest.mark.parametrize("value", elf.NONSENSE)
@pytest.mark.parametrize("field", elf.FIELDS)
def test_nonsense_in_a_field_gives_nothing_or_what_is_there(field: str, value: int) -> None:
    loader, libraries = needs(elf.crafted(field, value, WHOLE))
    assert loader in (b"", b"/", b"/lib/loader") or loader in WHOLE
    assert len(libraries) <= 1


@pytest.mark.parametrize("fields", list(combinations(elf.FIELDS, 2)))
def test_nonsense_in_two_fields_raises_nothing(fields: tuple[str, str]) -> None:
    for one in elf.NONSENSE:
        for other in elf.NONSENSE:
            needs(elf.crafted(fields[1], other, elf.crafted(fields[0], one, WHOLE)))


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "bin").mkdir()
    fd = os.open(tmp_path, os.O_PATH)
    yield fd
    os.close(fd)


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)


def make_socket(path: Path) -> None:
    here = os.open(path.parent, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"/proc/self/fd/{here}/{path.name}")
    os.close(here)


NODES: dict[str, Callable[[Path], object]] = {"FIFO": os.mkfifo, "socket": make_socket, "directory": os.mkdir}


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize(
    ("uses", "words"),
    [
        (None, "is a {}"),
        (b"#!/bin/node\n", "its interpreter /bin/node: is a {}"),
        (b"#!/bin/middle\n", "its interpreter /bin/node: is a {}"),
        (elf.dynamic("/bin/node"), "its loader /bin/node: is a {}"),
    ],
    ids=["program", "interpreter", "its interpreter", "loader"],
)
def test_what_is_no_regular_file_is_told_as_what_it_is(
    tmp_path: Path, root: int, kind: str, uses: bytes | None, words: str
) -> None:
    NODES[kind](tmp_path / "bin/node")
    put(tmp_path / "bin/middle", b"#!/bin/node\n")
    if uses:
        put(tmp_path / "bin/uses", uses)
    _, verdict = program.look(root, (b"/bin/uses" if uses else b"/bin/node",))
    assert (verdict.status, verdict.reason) == (NOT_EXECUTABLE, words.format(kind))


MISSING = "the interpreter /bin/nothing of its interpreter /bin/middle is not found inside the rootfs"


def test_a_missing_interpreter_of_an_interpreter_is_named(tmp_path: Path, root: int) -> None:
    put(tmp_path / "bin/middle", b"#!/bin/nothing\n")
    put(tmp_path / "bin/uses", b"#!/bin/middle\n")
    _, verdict = program.look(root, (b"/bin/uses",))
    assert (verdict.status, verdict.reason) == (NOT_FOUND, MISSING)


@pytest.mark.parametrize("line", [b"#!bin/nothing\n", b"#!/bin/uses\n", b"#!\n"], ids=["relative", "itself", "none"])
def test_what_only_the_kernel_knows_is_left_to_it(tmp_path: Path, root: int, line: bytes) -> None:
    put(tmp_path / "bin/uses", line)
    assert program.look(root, (b"/bin/uses",))[1].status == 0


def test_what_was_found_is_what_is_opened(tmp_path: Path, root: int) -> None:
    """Between the look and the open the name becomes another's."""
    put(tmp_path / "bin/x", b"first")
    place = program.find(root, b"/bin/x")
    (tmp_path / "bin/x").unlink()
    os.mkfifo(tmp_path / "bin/x")
    fd = program.open_regular(place)
    assert os.read(fd, 10) == b"first"
    os.close(fd)
    os.close(place)


def sparse(path: Path, *data: tuple[int, int], size: int = 1 << 42) -> None:
    """A file of `size` with zeros written at each (offset, length) of `data`, and holes elsewhere."""
    path.write_bytes(b"")
    for offset, length in data:
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(b"\0" * length)
    os.truncate(path, size)


@pytest.mark.parametrize(
    ("data", "most", "read"),
    [
        ([], MIB, 0),
        ([(0, MIB)], MIB, MIB),
        ([(0, 2 * MIB)], MIB, MIB),
        ([(0, MIB), (1 << 41, MIB)], 4 * MIB, 2 * MIB),
        ([(1 << 40, MIB), (1 << 41, MIB)], MIB + 4096, MIB + 4096),
    ],
)
def test_holes_are_not_read_and_no_more_than_is_allowed(
    tmp_path: Path, data: list[tuple[int, int]], most: int, read: int
) -> None:
    sparse(tmp_path / "file", *data)
    fd, null = os.open(tmp_path / "file", os.O_RDONLY), os.open("/dev/null", os.O_WRONLY)
    assert warm.read(fd, null, most) == read
    os.close(fd)
    os.close(null)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The files that are opened to be read ahead."""
    paths: list[bytes] = []
    really = warm.open_in_root

    def noted(root: int, path: bytes) -> int:
        paths.append(path)
        return really(root, path)

    monkeypatch.setattr(warm, "open_in_root", noted)
    return paths


def test_the_program_its_loader_and_its_libraries_are_read_once_each(tmp_path: Path, root: int, opened: list[bytes]) -> None:
    """The library needs itself, and names its loader by a path."""
    put(tmp_path / "bin/x", elf.dynamic("/bin/loader", "libx.so"))
    put(tmp_path / "lib/libx.so", elf.dynamic("/bin/loader", "libx.so"))
    put(tmp_path / "bin/loader", elf.dynamic("/bin/loader", "/bin/x"))
    warm.Warm(root, b"/bin/x").run(Live())
    assert opened == [b"/bin/x", b"/bin/loader", b"/lib/libx.so"]


def test_no_more_files_are_read_ahead_than_are_stated(tmp_path: Path, root: int, opened: list[bytes]) -> None:
    for number in range(200):
        put(tmp_path / f"bin/{number}", b"#!/bin/%d\n" % (number + 1))
    warm.Warm(root, b"/bin/0").run(Live())
    assert len(opened) == warm.FILES


def test_no_more_bytes_are_read_ahead_than_are_stated(tmp_path: Path, root: int, opened: list[bytes]) -> None:
    put(tmp_path / "bin/x", b"#!/bin/y\n" + b"\0" * warm.READ_AHEAD)
    put(tmp_path / "bin/y", b"#!/bin/z\n")
    step = warm.Warm(root, b"/bin/x")
    step.run(Live())
    assert opened == [b"/bin/x"]
    assert f"{warm.READ_AHEAD >> 20} MiB" in str(step)
