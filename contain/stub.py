"""The two tiny programs that stand where Python must not: PID 1, and the step before the program.

Each is about three hundred bytes of x86-64 machine code, assembled from asm/init.S and asm/exec.S (a test assembles them and
compares), wrapped into a static ELF file in a sealed memfd, which takes some 20 µs.
"""

from contain import linux

READY = 0xFFFFFFFD  # the exec stub's word before it executes the program; a failure follows, or the end of the file

INIT = bytes.fromhex(
    "b89d000000bf0f000000488d35bf0000000f05b89d000000bf0400000031f60f054885c00f859d000000b85b0000008b3da0"
    "00000031f60f054885c00f8585000000b8b4010000bf02000000beffffffff31d20f054885c0756d4883ec4048c70424ffff"
    "ffff31db48895c240848895c2410c644241852b801000000bf01000000488d742418ba010000000f054883f801753431c031"
    "ff488d742420ba010000000f054883f801751eb8800000004889e731f6488d54240841ba080000000f054885c07fe4ebb0b8"
    "e700000031ff0f05696e697400"
)
EXEC = bytes.fromhex(
    "b85b0000008b3d2e01000031f60f054989c44885c00f85e3000000b8b40100008b3d170100008b3515010000ffce31d20f05"
    "4989c44885c00f85c0000000b8b40100008b3df8000000ffc7beffffffff31d20f054989c44885c00f859e000000b8480000"
    "008b3dd6000000be02000000ba010000000f054989c44885c0757fb89d000000bf0f000000488d35b90000000f054989c448"
    "85c07564b8010000008b3d9c000000488d3585000000ba080000000f0549c7c4feffffff488d1d98000000803b0074384889"
    "df488b0424488d742408488d54c608b83b0000000f054883f8fe740f4883f8ec74094989c44883f8f3750b48ffc3807bff00"
    "75f7ebc349f7dc49c1e4208b053a0000004909c44154b8010000008b3d260000004889e6ba080000000f05b8e7000000bf7f"
    "0000000f05fdffffff00000000"
)

_BASE = 0x400000
_HEADERS = 64 + 56


def elf(code: bytes) -> bytes:
    """`code` as a static x86-64 executable of one segment, which can be read and executed; elf(5)."""
    size = _HEADERS + len(code)
    u16, u32, u64 = linux.u16, linux.u32, linux.u64
    file_header = (
        b"\x7fELF\2\1\1" + b"\0" * 9 + u16(2) + u16(62) + u32(1) + u64(_BASE + _HEADERS) + u64(64) + u64(0) + u32(0)
        + u16(64) + u16(56) + u16(1) + u16(0) * 3
    )  # fmt: skip
    segment = u32(1) + u32(5) + u64(0) + u64(_BASE) * 2 + u64(size) * 2 + u64(4096)
    return file_header + segment + code


def init_stub(fd: int) -> bytes:
    """The file PID 1 becomes; `fd` is the number its own memfd will have there."""
    return elf(INIT + linux.u32(fd))


def exec_stub(fd: int, keep: int, report: int, step: int, name: bytes, paths: "tuple[bytes, ...]") -> bytes:
    """The file that executes the first of `paths` that can be executed.

    `fd` is its own memfd, `keep` the first descriptor that the program does not get, `report` (above `keep`) where READY and a
    failure are told, the latter as `step` and an errno. `name` (at most 15 bytes) is the process's until the program runs.
    """
    numbers = linux.u32(fd) + linux.u32(keep) + linux.u32(report) + linux.u32(step)
    return elf(EXEC + numbers + name.ljust(16, b"\0") + b"".join([path + b"\0" for path in paths]) + b"\0")
