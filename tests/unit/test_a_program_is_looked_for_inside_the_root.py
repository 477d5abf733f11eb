"""program.py: where execvp would look, what stands in the way of a file, and never a step out of the root."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contain.errors import NOT_EXECUTABLE, NOT_FOUND
from contain.program import Verdict, candidates, elf_needs, look, refusal
from contain.stub import elf

SEARCH = b"/bin:/usr/bin"
ELF = elf(b"\xc3")
Put = Callable[..., Path]
Look = Callable[..., tuple[bytes, Verdict]]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """`put("bin/x", content, mode)`: a file of the root."""

    def write(name: str, content: bytes = ELF, mode: int = 0o755) -> Path:
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
        return path

    write("etc/hostname", b"x\n", 0o644)
    return write


@pytest.fixture
def looked(tmp_path: Path, put: Put) -> Iterator[Look]:
    """`looked("x")`: the path found for it in the root, and the verdict."""
    root = os.open(tmp_path / "root", os.O_PATH)
    yield lambda name, search=SEARCH: look(root, candidates(name.encode(), search, b"/"))
    os.close(root)


@pytest.mark.parametrize(
    ("name", "search", "directory", "paths"),
    [
        (b"sh", b"/bin:/usr/bin", b"/", (b"/bin/sh", b"/usr/bin/sh")),
        (b"sh", b"/bin/", b"/", (b"/bin/sh",)),
        (b"/bin/sh", b"/usr/bin", b"/", (b"/bin/sh",)),
        (b"./x", b"/bin", b"/srv", (b"/srv/./x",)),
        (b"../../bin/sh", b"/bin", b"/", (b"/../../bin/sh",)),
        (b"x", b"", b"/", ()),
        (b"x", b":/bin:", b"/srv", (b"/srv/x", b"/bin/x", b"/srv/x")),
        (b"\xff", b"/\xfe", b"/", (b"/\xfe/\xff",)),
    ],
)
@pytest.mark.row("B88")
def test_candidates_are_those_of_execvp(name: bytes, search: bytes, directory: bytes, paths: tuple[bytes, ...]) -> None:
    assert candidates(name, search, directory) == paths


def test_a_program_that_can_run_is_found_at_its_first_place(put: Put, looked: Look) -> None:
    put("usr/bin/x")
    assert looked("x")[0] == b"/usr/bin/x"
    put("bin/x")
    path, verdict = looked("x")
    assert (path, verdict.status) == (b"/bin/x", 0)


@pytest.mark.row("B81")
def test_what_is_nowhere_is_not_found(looked: Look) -> None:
    path, verdict = looked("nosuch")
    assert (path, verdict.status) == (b"", NOT_FOUND)
    assert "not found" in verdict.reason


@pytest.mark.row("B82")
def test_a_directory_is_told_as_one(put: Put, looked: Look) -> None:
    put("bin/dir/x")
    _, verdict = looked("/bin/dir")
    assert (verdict.status, verdict.reason) == (NOT_EXECUTABLE, "is a directory")


@pytest.mark.row("B82")
def test_a_file_without_an_execute_bit_is_refused(put: Put, looked: Look) -> None:
    put("bin/x", ELF, 0o644)
    _, verdict = looked("x")
    assert verdict.status == NOT_EXECUTABLE
    assert "permission denied" in verdict.reason


def test_a_file_further_on_that_can_run_is_preferred(put: Put, looked: Look) -> None:
    put("bin/x", ELF, 0o644)
    put("usr/bin/x")
    path, verdict = looked("x")
    assert (path, verdict.status) == (b"/usr/bin/x", 0)


@pytest.mark.row("B83")
@pytest.mark.parametrize(
    "line", [b"#!/no/such/interp\n", b"#! /no/such/interp -x\n", b"#!/no/such/interp\t-x", b"#!/no/such/interp"]
)
def test_a_script_whose_interpreter_is_missing_names_it(put: Put, looked: Look, line: bytes) -> None:
    put("bin/x", line)
    _, verdict = looked("x")
    assert verdict.status == NOT_FOUND
    assert verdict.reason.startswith("its interpreter /no/such/interp is not found")


def test_a_script_whose_interpreter_is_there_is_fine(put: Put, looked: Look) -> None:
    put("bin/sh")
    put("bin/x", b"#!/bin/sh -e\n")
    assert looked("x")[1].status == 0


@pytest.mark.row("B84")
@pytest.mark.parametrize("content", [b"echo hello\n", b"", b"\0" * 100])
def test_a_file_without_a_first_line_is_no_program(put: Put, looked: Look, content: bytes) -> None:
    put("bin/x", content)
    _, verdict = looked("x")
    assert verdict.status == NOT_EXECUTABLE
    assert "exec format error" in verdict.reason
    assert "#!" in verdict.hint


@pytest.mark.row("B85")
@pytest.mark.parametrize(
    "content",
    [ELF[:20], ELF[:63], ELF[:18] + (183).to_bytes(2, "little") + ELF[20:], ELF[:4] + b"\1" + ELF[5:30]],
    ids=["cut at 20 bytes", "cut at 63 bytes", "for arm64", "32 bits and cut"],
)
def test_an_elf_file_that_is_cut_or_foreign_is_no_program(put: Put, looked: Look, content: bytes) -> None:
    put("bin/x", content)
    _, verdict = looked("x")
    assert verdict.status == NOT_EXECUTABLE
    assert "exec format" in verdict.reason


@pytest.mark.row("B86")
def test_a_program_whose_loader_is_missing_names_the_loader(put: Put, looked: Look) -> None:
    host = Path(os.path.realpath(shutil.which("ls") or "/bin/ls"))
    fd = os.open(host, os.O_RDONLY)
    loader, libraries = elf_needs(fd, os.pread(fd, 4096, 0))
    os.close(fd)
    if not loader:
        pytest.skip(f"{host} is static")
    assert any(name.startswith(b"libc") for name in libraries)
    put("bin/ls", host.read_bytes())
    _, verdict = looked("ls")
    assert verdict.status == NOT_FOUND
    assert verdict.reason == f"its loader {loader.decode()} is not found inside the rootfs"
    put(loader.decode().lstrip("/"))
    assert looked("ls")[1].status == 0


@pytest.mark.row("B88")
@pytest.mark.parametrize("name", ["../../../../../../bin/sh", "/../../../../../../bin/sh"])
def test_no_number_of_dots_leads_out_of_the_root(looked: Look, name: str) -> None:
    assert looked(name)[1].status == NOT_FOUND


def test_a_symbolic_link_is_followed_inside_the_root_alone(tmp_path: Path, put: Put, looked: Look) -> None:
    put("lib/real")
    (tmp_path / "root/bin").mkdir()
    (tmp_path / "root/bin/x").symlink_to("/lib/real")
    (tmp_path / "root/bin/out").symlink_to(shutil.which("true") or "/bin/true")
    assert looked("x")[1].status == 0
    assert looked("out")[1].status == NOT_FOUND


def test_a_fifo_does_not_hang_the_look(tmp_path: Path, put: Put, looked: Look) -> None:
    (tmp_path / "root/bin").mkdir()
    os.mkfifo(tmp_path / "root/bin/x", 0o755)
    assert looked("x")[1].status == NOT_EXECUTABLE


@given(st.binary(max_size=300))
def test_any_bytes_after_an_elf_head_are_judged_without_a_crash(tail: bytes) -> None:
    fd = os.memfd_create("elf")
    try:
        os.write(fd, ELF[:32] + tail)
        head = os.pread(fd, 4096, 0)
        loader, libraries = elf_needs(fd, head)
        assert isinstance(loader, bytes)
        assert all(isinstance(name, bytes) for name in libraries)
    finally:
        os.close(fd)


@pytest.mark.parametrize(
    ("content", "mode", "errno", "status", "words"),
    [
        (None, 0, 2, NOT_FOUND, "exec x: not found inside the rootfs"),
        (b"#!/no/such\n", 0o755, 2, NOT_FOUND, "exec x: its interpreter /no/such is not found"),
        (ELF, 0o644, 13, NOT_EXECUTABLE, "exec x: permission denied"),
        (b"hello", 0o755, 8, NOT_EXECUTABLE, "exec x: exec format error"),
        (ELF, 0o755, 8, NOT_EXECUTABLE, "exec x: exec format error"),
        (ELF, 0o755, 7, NOT_EXECUTABLE, "exec x: argument list too long"),
        (ELF, 0o755, 26, NOT_EXECUTABLE, "exec x: text file busy: somebody has it open for writing"),
        (ELF, 0o755, 1, NOT_EXECUTABLE, "exec x: operation not permitted: it has file capabilities"),
        (ELF, 0o755, 80, NOT_EXECUTABLE, "exec x: its loader is none"),
        (ELF, 0o700, 13, NOT_EXECUTABLE, "exec x: permission denied: /bin/x has mode 0700 and belongs to user"),
        (b"#!nosuch\n", 0o755, 2, NOT_FOUND, "exec x: its interpreter nosuch, looked for from where the program starts, is"),
        (ELF, 0o755, 5, NOT_EXECUTABLE, "exec x: Input/output error"),
    ],
)
def test_the_kernels_refusal_is_put_in_words(
    tmp_path: Path, put: Put, content: bytes | None, mode: int, errno: int, status: int, words: str
) -> None:
    if content is not None:
        put("bin/x", content, mode)
    root = os.open(tmp_path / "root", os.O_PATH)
    error = refusal(b"x", errno, root, (b"/bin/x",))
    os.close(root)
    assert str(error).startswith(words)
    assert error.status == status
