"""`contain explain` tells what would be done, step by step, to anybody, and does nothing."""

from collections.abc import Iterator

import pytest

from tests.integration.harness import images
from tests.integration.harness.host import Host

pytestmark = pytest.mark.anywhere

NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")


@pytest.fixture
def public_rootfs(host: Host, busybox: str) -> Iterator[str]:
    """A root that every user can reach."""
    path = images.make(host, "/tmp/root-of-everybody", busybox)
    host.put(f"{path}/bin/someprogram", "#!/bin/sh\n")
    yield path
    host.run("rm", "-r", path)


def words(root: str) -> tuple[str, ...]:
    limits = ("--memory-limit", "64MiB", "--cpu-core-ids", "0", "--hostname", "box", "--read-only")
    return ("--chroot", root, *limits, "--", "someprogram", "arg1", "arg")


def test_each_constraint_has_its_line(host: Host, public_rootfs: str) -> None:
    lines = host.contained("explain", *words(public_rootfs)).succeeded().lines
    for word in ("67108864", "pivot_root", "box", "someprogram arg1 arg", public_rootfs):
        assert [line for line in lines if word in line], f"{word} was expected in {lines}"
    assert len(lines) > 10


def test_dry_run_is_the_same(host: Host, public_rootfs: str) -> None:
    told = host.contained("explain", *words(public_rootfs)).succeeded().lines
    dry = host.contained("--dry-run", *words(public_rootfs)).succeeded().lines
    assert [line for line in dry if "contain-" not in line] == [line for line in told if "contain-" not in line]


def test_it_needs_no_root(host: Host, public_rootfs: str, public_contain: str) -> None:
    ran = host.finish(*NOBODY, public_contain, "explain", *words(public_rootfs))
    assert "pivot_root" in ran.succeeded().text


def test_it_does_nothing(host: Host, public_rootfs: str) -> None:
    """A file of the root that is newer than the mark, or a group, or a link, would show that it did."""
    before = host.residue()
    host.run("touch", f"{public_rootfs}/mark")
    host.contained("explain", *words(public_rootfs)).succeeded()
    assert host.residue() == before
    assert host.run("find", public_rootfs, "-newer", f"{public_rootfs}/mark").text == ""


def test_what_a_launch_would_refuse_it_refuses_too(host: Host, public_rootfs: str) -> None:
    ran = host.contained("explain", "--chroot", public_rootfs, "--memory-limit", "0", "--", "true")
    assert ran.status == 125
    assert "memory" in ran.errors
