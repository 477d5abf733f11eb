"""`not found` is never said of what is there: the link of the chain that is missing, or is no program, is named.

A program may be a script, its interpreter another, and that a program with a loader; each may be a symbolic link. Each case is
asked twice: as it is seen before the launch, and, where something is mounted in the root, as the kernel has refused it.
"""

import re

import pytest

from tests.integration.harness import elf
from tests.integration.harness.host import Host
from tests.integration.harness.judge import refused

pytestmark = pytest.mark.anywhere

Files = dict[str, bytes]
LINK = b"-> "  # a file that begins so is a symbolic link


def narrow(loader: str, machine: int = 3) -> bytes:
    """A 32-bit program that is started by `loader`, if that is named; elf(5)."""
    name = loader.encode() + b"\0"
    sizes = b"".join(elf.number(size, 2) for size in (52, 32, 1, 0, 0, 0))
    head = b"\x7fELF\1\1\1" + b"\0" * 9 + elf.number(2, 2) + elf.number(machine, 2) + elf.number(1, 4)
    head += elf.number(0x8048054, 4) + elf.number(52, 4) + elf.number(0, 4) * 2 + sizes
    segment = (3, 84, 0x8048054, 0x8048054, len(name), len(name), 4, 1)
    return head + b"".join(elf.number(part, 4) for part in segment) + name


def scripts(many: int, last: str) -> Files:
    """/x, whose interpreter is /s1, whose interpreter is /s2, and so on; that of the last is `last`."""
    names = ["x", *[f"s{number}" for number in range(1, many)]]
    return {name: f"#!/{after}\n".encode() for name, after in zip(names, [*names[1:], last], strict=True)}


SCRIPT = {"x": b"#!/bin/sh\n"}
MISSING: dict[str, tuple[Files, str, int]] = {
    # -- not there
    "carriage return": (
        {"x": b"#!/bin/sh\r\nexit 7\r\n"}, r"its interpreter /bin/sh\\r is not found.*\n.*hint: .*carriage", 127,
    ),
    "carriage return alone": ({"x": b"#!/bin/sh\r"}, r"its interpreter /bin/sh\\r is not found.*\n.*hint: .*carriage", 127),
    "carriage return of the next": (
        {"x": b"#!/s\n", "s": b"#!/bin/sh\r\n"},
        r"the interpreter /bin/sh\\r of its interpreter /s is not found inside the rootfs\n.*hint: .*carriage",
        127,
    ),
    "interpreter": ({"x": b"#! /nosuch -x\n"}, "its interpreter /nosuch is not found inside the rootfs", 127),
    "interpreter of the interpreter": (
        {"x": b"#!/s\n", "s": b"#!/nosuch\n"}, "the interpreter /nosuch of its interpreter /s is not found", 127,
    ),
    "interpreter of the fifth": (scripts(5, "nosuch"), "the interpreter /nosuch of its interpreter /s4 is not found", 127),
    "interpreter with a NUL": ({"x": b"#!/nosuch\0/bin/sh\n"}, "its interpreter /nosuch is not found", 127),
    "relative interpreter": ({"x": b"#!nosuch\n"}, "its interpreter nosuch, looked for from where .* starts, is not", 127),
    "loader": ({"x": elf.dynamic("/lib64/ld.so")}, "its loader /lib64/ld.so is not found.*\n.*hint: .*libraries", 127),
    "loader of the interpreter": (
        {"x": b"#!/s\n", "s": elf.dynamic("/ld.so")}, "the loader /ld.so of its interpreter /s is not found", 127,
    ),
    "loader of the second interpreter": (
        {"x": b"#!/s\n", "s": b"#!/t\n", "t": elf.dynamic("/ld.so")},
        "the loader /ld.so of its interpreter /t is not found", 127,
    ),
    "relative loader": ({"x": elf.dynamic("lib/ld.so")}, "its loader lib/ld.so, looked for from where .* starts, is not", 127),
    "32-bit loader": (
        {"x": narrow("/lib/ld-linux.so.2")}, "its loader /lib/ld-linux.so.2 is not found.*\n.*hint: .*32-bit", 127,
    ),
    "32-bit loader of the interpreter": (
        {"x": b"#!/s\n", "s": narrow("/ld32")}, "the loader /ld32 of its interpreter /s is not found", 127,
    ),
    "the program's symlink": (
        {"x": LINK + b"/opt/real"}, "not found inside the rootfs: /x is a symlink to /opt/real, which is", 127,
    ),
    "a symlink's symlink": (
        {"x": LINK + b"y", "y": LINK + b"nosuch"},
        "not found inside the rootfs: /y is a symlink to nosuch, which is not there", 127,
    ),
    "interpreter's symlink": (
        {"x": b"#!/s\n", "s": LINK + b"dash"},
        "its interpreter /s is not found.*: /s is a symlink to dash, which is not there", 127,
    ),
    "loader's folder's symlink": (
        {"x": elf.dynamic("/l64/ld.so"), "l64": LINK + b"usr/l64"},
        "its loader /l64/ld.so is not found inside the rootfs: /l64 is a symlink to usr/l64, which is not there",
        127,
    ),
    "a file for a folder": (
        {"x": b"#!/etc/passwd/sh\n"}, "its interpreter /etc/passwd/sh is not .*: /etc/passwd is no directory", 127,
    ),
    # -- there, and no program
    "too many scripts": (scripts(6, "bin/sh"), "interpreters are scripts.*five", 126),
    "scripts in a circle": ({"x": b"#!/x\n"}, "interpreters are scripts.*five", 126),
    "symlinks in a circle": ({"x": LINK + b"y", "y": LINK + b"x"}, "/x is a symlink that leads in circles", 126),
    "no interpreter": ({"x": b"#!\nexit 7\n"}, "exec format error: its first line names no interpreter", 126),
    "blanks for an interpreter": ({"x": b"#! \t \n"}, "exec format error: its first line names no interpreter", 126),
    "a long interpreter": (
        {"x": b"#!/" + b"x" * 300 + b"\n"}, "exec format error: .*first line is longer than .* 255 bytes", 126,
    ),
    "a mark before the line": ({"x": b"\xef\xbb\xbf#!/bin/sh\n"}, "exec format error.*\n.*hint: .*byte order mark", 126),
    "UTF-16": ({"x": "#!/bin/sh\n".encode("utf-16")}, "exec format error.*\n.*hint: .*UTF-16", 126),
    "interpreter is text": ({"x": b"#!/s\n", "s": b"echo\n"}, "its interpreter /s: exec format error", 126),
    "interpreter is not executable": ({"x": b"#!/etc/passwd\n"}, "its interpreter /etc/passwd: permission denied", 126),
    "interpreter is a folder": ({"x": b"#!/bin\n"}, "its interpreter /bin: is a directory", 126),
    "interpreter of another machine": (
        {"x": b"#!/s\n", "s": elf.says("x")[:18] + b"\xb7\0" + elf.says("x")[20:]},
        "its interpreter /s: .*not for this machine", 126,
    ),
    "32 bits of another machine": ({"x": narrow("", 40)}, "exec format error: .*not for this machine", 126),
    "loader is text": ({"x": elf.dynamic("/ld"), "ld": b"text" * 30}, "its loader /ld: .*no loader", 126),
    "loader is a folder": ({"x": elf.dynamic("/bin")}, "its loader /bin: is a directory", 126),
    "loader of 32 bits": ({"x": elf.dynamic("/ld"), "ld": narrow("")}, "its loader /ld: .*no loader", 126),
    "loader is not executable": ({"x": elf.dynamic("/etc/passwd")}, "its loader /etc/passwd: permission denied", 126),
}  # fmt: skip


def lay(host: Host, root: str, files: Files) -> None:
    for name, content in files.items():
        if content.startswith(LINK):
            host.run("ln", "-s", content.removeprefix(LINK), f"{root}/{name}")
        else:
            host.put(f"{root}/{name}", content)


@pytest.mark.parametrize("mounts", [(), ("--tmpfs", "/tmp")], ids=["seen before", "refused by the kernel"])
@pytest.mark.parametrize("case", MISSING)
def test_the_missing_link_is_named(host: Host, own_rootfs: str, case: str, mounts: tuple[str, ...]) -> None:
    files, pattern, status = MISSING[case]
    lay(host, own_rootfs, files)
    ran = host.contained("--chroot", own_rootfs, *mounts, "--", "/x")
    refused(ran, rf"^contain: exec /x: .*{pattern}", status)
    if status == 127:
        assert not re.search("exec /x: not found inside the rootfs$", ran.errors, re.MULTILINE)


RUNS: dict[str, Files] = {
    "blanks before the interpreter": {"x": b"#!  \t /bin/sh \t \nexit 7\n"},
    "no end of the line": {"x": b"#!/s", "s": b"#!/bin/sh\nexit 7\n"},
    "five scripts": scripts(5, "bin/seven") | {"bin/seven": elf.says("x")},
    "a relative interpreter": {"x": b"#!bin/sh\nexit 7\n"},
    "a relative loader": {"x": elf.dynamic("ld.so"), "ld.so": elf.says("x", 0x800000)},
    "an argument past byte 256": {"x": b"#!/bin/sh " + b" " * 300 + b"\nexit 7\n"},
    "symlinks all the way": {"x": LINK + b"y", "y": b"#!/s\nexit 7\n", "s": LINK + b"/bin/t", "bin/t": LINK + b"busybox"},
    "a carriage return behind an argument": {"x": b"#!/bin/echo x\r\n"},
}


@pytest.mark.parametrize("mounts", [(), ("--tmpfs", "/tmp")], ids=["seen before", "left to the kernel"])
@pytest.mark.parametrize("case", RUNS)
def test_what_the_kernel_runs_is_not_refused(host: Host, own_rootfs: str, case: str, mounts: tuple[str, ...]) -> None:
    lay(host, own_rootfs, RUNS[case])
    ran = host.contained("--chroot", own_rootfs, *mounts, "--", "/x")
    assert ran.status not in (125, 126, 127) or case == "symlinks all the way", ran
    assert "contain: " not in ran.errors


BOUND: dict[str, tuple[Files, str, int]] = {
    "interpreter": ({"x": b"#!/nosuch\n"}, "its interpreter /nosuch is not found inside the rootfs", 127),
    "interpreter in the bind": (
        {"x": b"#!/tmp/s\n", "s": b"#!/tmp/t\n"},
        "the interpreter /tmp/t of its interpreter /tmp/s",
        127,
    ),
    "carriage return": ({"x": b"#!/bin/sh\r\n"}, r"its interpreter /bin/sh\\r is not found", 127),
    "loader": ({"x": elf.dynamic("/tmp/ld.so")}, "its loader /tmp/ld.so is not found", 127),
    "symlink": ({"x": LINK + b"y"}, "not found inside the rootfs: /tmp/x is a symlink to y, which is not there", 127),
    "no program": ({"x": b"echo\n"}, "exec format error: neither", 126),
    "nothing": ({}, "not found inside the rootfs", 127),
}


@pytest.mark.parametrize("case", BOUND)
def test_the_missing_link_is_named_in_what_is_bound_as_well(host: Host, rootfs: str, case: str) -> None:
    files, pattern, status = BOUND[case]
    source = host.new("bound")
    host.run("mkdir", source)
    lay(host, source, files)
    ran = host.contained("--chroot", rootfs, "--bind", f"{source}:/tmp", "--", "/tmp/x")
    host.remove(source)
    refused(ran, rf"^contain: exec /tmp/x: .*{pattern}", status)


@pytest.mark.parametrize("what", ["program", "interpreter", "loader", "folder"])
def test_who_may_not_reach_it_is_told_what_bars_the_way(host: Host, own_rootfs: str, what: str) -> None:
    files = {"x": b"#!/opt/s\n"} if what == "interpreter" else {"x": elf.dynamic("/opt/s")} if what == "loader" else {}
    lay(host, own_rootfs, files)
    host.run("mkdir", f"{own_rootfs}/opt")
    host.put(f"{own_rootfs}/opt/s", elf.says("x"), 0o700)
    if what == "folder":
        host.run("chmod", "755", f"{own_rootfs}/opt/s")
        host.run("chmod", "700", f"{own_rootfs}/opt")
    name = "/x" if files else "/opt/s"
    barred = "/opt" if what == "folder" else "/opt/s"
    ran = host.contained("--chroot", own_rootfs, "--user", "1000", "--", name)
    refused(ran, rf"exec {name}: permission denied: {barred} has mode 0700 and belongs to user 0", 126)


def test_a_program_that_is_being_written_is_told(host: Host, own_rootfs: str) -> None:
    host.put(f"{own_rootfs}/x", elf.says("x"))
    script = 'exec 9>>"$1/x"; shift; "$@"'
    ran = host.finish("sh", "-c", script, "sh", own_rootfs, host.contain_path, "--chroot", own_rootfs, "--", "/x")
    refused(ran, "exec /x: text file busy: .*open for writing", 126)
