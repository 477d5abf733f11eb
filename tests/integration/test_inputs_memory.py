"""Odd memory sizes: refused before anything is made, or meant exactly; the kernel itself would take many of them."""

import pytest

from tests.integration.harness.host import Host
from tests.integration.harness.judge import SEVEN, accepted, refused

REFUSED = [
    ("B05", "0", "memory.*(zero|greater than 0)"),
    ("B06", "1", "memory.*(minimum|too small)"),
    ("B07", "4095", "minimum"),
    ("B08", "-1", "memory"),
    ("B09", "-2", "memory"),
    ("B10", "", "memory.*empty"),
    ("B11", " 1M", "memory"),
    ("B11", "1M ", "memory"),
    ("B11", "1 M", "memory"),
    ("B13", "1e6", "memory"),
    ("B14", "0x100000", "memory"),
    ("B15", "abc", "memory"),
    ("B15", "M", "memory"),
    ("B15", "k", "memory"),
    ("B16", "18446744073709551616", "(too large|overflow)"),
    ("B17", "99999999999999999999", "(too large|overflow)"),
    ("B18", "9223372036854775807", "too large"),
    ("B20", "1k", "minimum"),
    ("B21", "١M", "memory"),  # noqa: RUF001 - the digit is the point
    ("B21", "１M", "memory"),  # noqa: RUF001
    ("B22", "1_000_000", "memory"),
    ("B23", "1M\n", "memory"),
]
ACCEPTED = [
    ("B01", "1MB", "(below|small).*(4|2) ?MiB"),
    ("B02", "1MiB", "(below|small).*(4|2) ?MiB"),
    ("B03", "128m", ""),
    ("B04", "1g", ""),
    ("B04", "1G", ""),
    ("B04", "1GiB", ""),
    ("B04", "1GB", ""),
]


@pytest.mark.anywhere
@pytest.mark.parametrize(("row", "size", "pattern"), REFUSED)
def test_a_size_that_is_none_is_refused(host: Host, rootfs: str, row: str, size: str, pattern: str) -> None:
    refused(host.contained("--chroot", rootfs, f"--memory-limit={size}", "--", *SEVEN), pattern)


@pytest.mark.parametrize(("row", "size", "warning"), ACCEPTED)
def test_a_size_is_taken(host: Host, rootfs: str, row: str, size: str, warning: str) -> None:
    accepted(host.contained("--chroot", rootfs, "--memory-limit", size, "--", *SEVEN), warning)


@pytest.mark.anywhere
@pytest.mark.row("B12")
def test_a_fraction_is_refused(host: Host, rootfs: str) -> None:
    refused(host.contained("--chroot", rootfs, "--memory-limit", "1.5M", "--", *SEVEN), "memory")


@pytest.mark.row("B19")
def test_more_than_the_machine_has_is_a_warning(host: Host, rootfs: str) -> None:
    total = int(host.shell("sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo").line)
    ran = host.contained("--chroot", rootfs, "--memory-limit", f"{2 * total}k", "--", *SEVEN)
    accepted(ran, "(more than|exceeds).*memory")


@pytest.mark.anywhere
@pytest.mark.row("B24")
@pytest.mark.parametrize("option", ["memory-limit=64M", "chroot=/", "cpu-core-ids=0", "hostname=x"])
def test_an_option_given_twice_is_refused(host: Host, rootfs: str, option: str) -> None:
    first = () if option.startswith("chroot") else (f"--{option}",)
    refused(host.contained("--chroot", rootfs, *first, f"--{option}", "--", *SEVEN), "(twice|already|once)")
