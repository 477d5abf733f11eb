"""What a program is made of is a regular file, or it is not opened; and of what is opened only so much is read."""

import pytest

from tests.integration.harness import elf
from tests.integration.harness.host import Host
from tests.integration.harness.judge import accepted

ROLES = (
    "program", "PATH entry", "interpreter", "interpreter's interpreter", "loader", "library", "library at a path",
    "bind source",
)  # fmt: skip
SOON = 5.0  # seconds, of which a launch takes a hundredth


@pytest.fixture
def needy(host: Host, own_rootfs: str) -> str:
    """A root with programs that run, `/second/ran` and, for whoever is a loader, `/loader`."""
    host.run("mkdir", f"{own_rootfs}/first", f"{own_rootfs}/second", f"{own_rootfs}/lib")
    host.put(f"{own_rootfs}/second/ran", elf.says("ran"))
    host.put(f"{own_rootfs}/loader", elf.says("ran", 0x800000))
    return own_rootfs


def give_a_role(host: Host, root: str, role: str) -> None:
    """`/node` of the root plays it for `/uses`."""
    uses = {
        "interpreter": b"#!/node\n",
        "interpreter's interpreter": b"#!/middle\n",
        "loader": elf.dynamic("/node"),
        "library": elf.dynamic("/loader", "libneeded.so"),
        "library at a path": elf.dynamic("/loader", "/node"),
    }
    if role in uses:
        host.put(f"{root}/uses", uses[role])
    host.put(f"{root}/middle", "#!/node\n")
    host.run("ln", "-s", "/node", f"{root}/lib/libneeded.so")
    host.run("ln", "-s", "/node", f"{root}/first/ran")


@pytest.mark.parametrize("role", ROLES)
def test_what_is_no_regular_file_is_not_opened(host: Host, needy: str, role: str) -> None:
    give_a_role(host, needy, role)
    assert host.drive("files.py", needy, str(SOON * host.patience), role) == []


@pytest.mark.parametrize("role", ["program", "interpreter", "loader"])
def test_what_is_no_regular_file_is_not_opened_to_say_why_the_kernel_refused_it(host: Host, needy: str, role: str) -> None:
    """Where something is mounted in the root, the file can't be judged before: it is looked at when execve(2) has failed."""
    give_a_role(host, needy, role)
    assert host.drive("files.py", needy, str(SOON * host.patience), role, "--tmpfs", "/tmp") == []


@pytest.mark.parametrize("part", ["program", "library"])
def test_a_file_of_terabytes_of_nothing_holds_no_launch(host: Host, needy: str, part: str) -> None:
    give_a_role(host, needy, "library")
    host.put(f"{needy}/node", elf.dynamic("/loader") if part == "library" else "#!/second/ran\n")
    host.run("truncate", "--size", "4T", f"{needy}/node")
    program = "/uses" if part == "library" else "/node"
    ran = host.contained("--chroot", needy, "--memory-limit", "60m", "--", program, within=SOON)
    accepted(ran, status=0)


def test_of_a_program_at_most_32_mib_are_read_ahead(host: Host, needy: str) -> None:
    """The page cache is the witness: it holds what was read since the file was written, synced and dropped."""
    script = f"{needy}/long"
    host.put(script, "#!/second/ran\n")
    host.shell('dd if=/dev/zero of="$1" bs=1M count=96 oflag=append conv=notrunc,fsync status=none', script)
    host.shell('dd of="$1" oflag=nocache conv=notrunc,fdatasync count=0 status=none', script)
    assert cached(host, script) == 0
    accepted(host.contained("--chroot", needy, "--memory-limit", "60m", "--", "/long"), status=0)
    assert 30 << 20 < cached(host, script) < 64 << 20  # the kernel reads somewhat further than it is told


def cached(host: Host, path: str) -> int:
    return int(host.run("fincore", "--bytes", "--noheadings", "--output", "RES", path).line)


@pytest.mark.anywhere
@pytest.mark.parametrize("value", [1, 2**31, 2**63 - 1, 2**64 - 1], ids=hex)
def test_a_program_of_nonsense_ends_with_words_or_runs(host: Host, needy: str, value: int) -> None:
    """Each number of an ELF file that is anybody's choice, at each end of what it can be."""
    whole = elf.dynamic("/loader", "libneeded.so")
    host.run("mkdir", f"{needy}/crafted")
    for field in elf.FIELDS:
        host.put(f"{needy}/crafted/{field.replace(' ', '-')}", elf.crafted(field, value, whole))
    assert host.drive("crafted.py", needy, str(SOON * host.patience)) == []
