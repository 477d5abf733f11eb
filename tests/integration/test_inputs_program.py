"""Odd programs: found inside the root alone, and when one cannot run the reason is said in words that help."""

import pytest

from tests.integration.harness.host import Host
from tests.integration.harness.judge import SEVEN, accepted, refused

pytestmark = pytest.mark.anywhere


@pytest.mark.row("B81")
def test_a_program_that_is_nowhere_is_not_found(host: Host, rootfs: str) -> None:
    refused(host.contained("--chroot", rootfs, "--", "nosuch"), "nosuch.*not found", 127)


@pytest.mark.row("B82")
@pytest.mark.parametrize(("path", "why"), [("/etc/image", "permission denied"), ("/etc", "is a directory")])
def test_what_is_no_program_is_not_executable(host: Host, rootfs: str, path: str, why: str) -> None:
    refused(host.contained("--chroot", rootfs, "--", path), why, 126)


@pytest.mark.row("B83")
def test_a_script_whose_interpreter_is_missing_names_it(host: Host, own_rootfs: str) -> None:
    host.put(f"{own_rootfs}/bin/script", "#!/no/such/interp\n")
    refused(host.contained("--chroot", own_rootfs, "--", "script"), "interpreter.*/no/such/interp", 127)


@pytest.mark.row("B84")
def test_a_script_without_an_interpreter_is_no_program(host: Host, own_rootfs: str) -> None:
    host.put(f"{own_rootfs}/bin/script", "exit 7\n")
    refused(host.contained("--chroot", own_rootfs, "--", "script"), "exec format", 126)


@pytest.mark.row("B85")
@pytest.mark.parametrize("kind", ["foreign", "truncated"])
def test_a_program_of_another_machine_or_half_a_one_is_no_program(host: Host, own_rootfs: str, kind: str) -> None:
    """Bytes 18 and 19 of an ELF file name the machine; no machine has number 0xfffe."""
    deed = {
        "foreign": 'printf "\\376\\377" | dd of="$1" bs=1 seek=18 conv=notrunc status=none',
        "truncated": 'truncate -s 100 "$1"',
    }[kind]
    host.shell(f'cp "$2" "$1" && {deed}', f"{own_rootfs}/bin/broken", f"{own_rootfs}/bin/busybox")
    refused(host.contained("--chroot", own_rootfs, "--", "broken"), "exec format", 126)


@pytest.mark.row("B86")
def test_a_dynamic_program_without_its_loader_names_it(host: Host, own_rootfs: str) -> None:
    host.run("cp", "/usr/bin/env", f"{own_rootfs}/bin/dynamic")
    refused(host.contained("--chroot", own_rootfs, "--", "dynamic"), "(loader|interpreter|ld-)", 127)


@pytest.mark.row("B87")
@pytest.mark.parametrize("words", [(), ("--",), ("--", "")])
def test_no_program_is_a_mistake_of_the_command_line(host: Host, rootfs: str, words: tuple[str, ...]) -> None:
    refused(host.contained("--chroot", rootfs, *words), "program")


@pytest.mark.row("B88")
@pytest.mark.parametrize("path", ["../../bin/sh", "./bin/sh", "bin/sh", "/bin/../bin/sh"])
def test_a_relative_program_is_looked_up_inside(host: Host, rootfs: str, path: str) -> None:
    accepted(host.contained("--chroot", rootfs, "--", path, *SEVEN[1:]))


@pytest.mark.row("B88")
@pytest.mark.parametrize("path", ["PATH=", "PATH=/usr/bin", "PATH=/nowhere"])
def test_path_is_the_one_inside(host: Host, rootfs: str, path: str) -> None:
    refused(host.contained("--chroot", rootfs, "--env", path, "--", *SEVEN), "sh.*not found", 127)


@pytest.mark.row("B88")
@pytest.mark.parametrize("name", ["python3", "/usr/bin/python3", "dpkg"])
def test_a_program_of_the_host_is_not_found(host: Host, rootfs: str, name: str) -> None:
    refused(host.contained("--chroot", rootfs, "--", name), "not found|no such", 127)


@pytest.mark.row("B90")
def test_the_longest_argument_that_the_kernel_takes_arrives(host: Host, rootfs: str) -> None:
    """One byte more and the kernel refuses to start contain itself."""
    ran = host.contained("--chroot", rootfs, "--", "sh", "-c", "echo ${#1}", "sh", "x" * 131071)
    assert ran.succeeded().line == "131071"


@pytest.mark.row("B90")
def test_too_many_arguments_are_told(host: Host, own_rootfs: str) -> None:
    """A script's interpreter line adds words: the program can have more of them than contain had."""
    long = "/" * 200 + "bin/sh"
    host.put(f"{own_rootfs}/bin/script", f"#!{long} -e\nexit 7\n")
    fill = """
        size=$(($(getconf ARG_MAX) - 200000)); word=$(printf '%0100000d' 0); set -- "$@"
        while [ $size -gt 100000 ]; do set -- "$@" $word; size=$((size - 100009)); done
        low=0; high=100000
        while [ $((high - low)) -gt 1 ]; do
            middle=$(((low + high) / 2))
            if env -i "$@" $(printf '%0'$middle'd' 0) >/dev/null 2>&1; [ $? -ne 126 ]; then low=$middle; else high=$middle; fi
        done
        exec env -i "$@" $(printf '%0'$low'd' 0)
    """
    words = (host.contain_path, "--chroot", own_rootfs, "--quiet", "--", "/" * 3000 + "bin/script")
    ran = host.finish("sh", "-c", fill, "sh", *words, within=60)
    assert ran.status in (7, 126), ran
    if ran.status == 126:
        refused(ran, "argument list too long", 126)
