"""Whoever made the root chose where its paths lead. No such path leads to the host, wherever it is named."""

import pytest

from tests.integration.harness import elf
from tests.integration.harness.host import Host
from tests.integration.harness.judge import SEVEN, accepted, refused

# Where something is mounted in the root, its program can't be judged before the launch: the kernel alone refuses it.
EXECUTED = "--tmpfs /tmp"
PLACES = {
    "workdir,below workdir": "",
    "program,program in a folder,program below a folder": EXECUTED,
    "PATH": EXECUTED,
    "interpreter,interpreter below a folder,loader below a folder": EXECUTED,
    "bind,below bind": "",
    "tmpfs,below tmpfs": "",
    "dev,proc,sys": "",
}


SECRET = "what the host keeps for itself"


def outside(host: Host) -> str:
    """A folder of the host's, with a secret, a program that tells it and a loader that does."""
    path = host.new("outside")
    host.run("mkdir", path)
    host.put(f"{path}/secret", SECRET)
    host.put(f"{path}/reads", elf.says(SECRET))
    host.put(f"{path}/loader", elf.says(SECRET, 0x800000))
    return path


def ways_out(host: Host, root: str, places: str, which: str, *options: str) -> list[str]:
    place = outside(host)
    host.run("mkdir", f"{root}/cases")
    host.put(f"{root}/loaded", elf.dynamic(f"/way{place}/loader"))
    return host.drive("paths.py", root, place, str(10 * host.patience), places, which, *options, within=240 * host.patience)


@pytest.mark.parametrize(("places", "options"), PLACES.items(), ids=PLACES)
def test_no_way_leads_out(host: Host, own_rootfs: str, places: str, options: str) -> None:
    assert ways_out(host, own_rootfs, places, "some", *options.split()) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("places", PLACES)
@pytest.mark.parametrize("options", ["", "--read-only", "--user 1000:1000", "--memory-limit 60m", EXECUTED])
def test_no_way_leads_out_through_any_descriptor(host: Host, own_rootfs: str, places: str, options: str) -> None:
    assert ways_out(host, own_rootfs, places, "all", *options.split()) == []


@pytest.mark.parametrize("target", ["/etc", "etc", "../../../etc", "/bin/../etc", "/proc/../etc/.", "/dev/../way2"])
@pytest.mark.parametrize("user", ["0:0", "1000:1000"])
def test_an_ordinary_link_is_followed_inside_the_root(host: Host, own_rootfs: str, target: str, user: str) -> None:
    host.shell('ln -s "$2" "$1/way"; ln -s /etc "$1/way2"', own_rootfs, target)
    ran = host.contained("--chroot", own_rootfs, "--user", user, "--workdir", "/way", "--", "pwd").succeeded()
    assert ran.line == "/etc"


def test_a_directory_that_the_user_may_not_enter_is_refused(host: Host, own_rootfs: str) -> None:
    host.shell('mkdir -m 700 "$1/closed"', own_rootfs)
    refused(
        host.contained("--chroot", own_rootfs, "--user", "1000:1000", "--workdir", "/closed", "--", *SEVEN), "/closed.*denied"
    )
    accepted(host.contained("--chroot", own_rootfs, "--workdir", "/closed", "--", *SEVEN))


@pytest.mark.parametrize("place", ["workdir", "program"])
def test_a_path_that_changes_while_it_is_looked_at_does_not_lead_out(host: Host, own_rootfs: str, place: str) -> None:
    """`/way` is a folder of the root and a link to the host's, in turns, some thousand times a second."""
    assert host.drive("turns.py", own_rootfs, outside(host), place, str(host.rounds(40)), within=240) == []


COVERS = {
    "the tree itself": "mount --rbind . .",
    "the host's root": 'mount --bind / "$PWD"',
    "an empty tree": 'mount -t tmpfs none "$PWD"',
    "two trees": 'mount --bind / "$PWD"; mount --rbind /proc "$PWD"',
}
# In a mount namespace of its own, which ends with the launcher: what is mounted there is seen nowhere else.
PRIVATE = ("unshare", "--mount", "--propagation", "private", "sh", "-e", "-c")
SECRET_IS_OUT_OF_REACH = (
    'exec 2>&-; cat "$1" && exit 1; [ -d /proc/self/fd ] && [ -c /dev/null ] && [ -e /etc/image ] && exit 7'
)


def out_of_reach(host: Host) -> tuple[str, ...]:
    return ("--", "sh", "-c", SECRET_IS_OUT_OF_REACH, "sh", f"{outside(host)}/secret")


@pytest.mark.parametrize("cover", COVERS.values(), ids=COVERS)
def test_what_is_mounted_over_the_very_top_of_the_root_is_not_entered(host: Host, rootfs: str, cover: str) -> None:
    """The folder that one stands in lies below such a mount: chroot(2) would enter it, and so does a launch."""
    launch = f'cd "$1"; shift; {cover}; exec "$@"'
    contained = (host.contain_path, "--chroot", ".", *out_of_reach(host))
    accepted(host.finish(*PRIVATE, launch, "sh", rootfs, *contained))


@pytest.mark.parametrize(
    "jail",
    ['mount --rbind / /mnt; exec chroot /mnt "$@"', 'mount --rbind / /; exec "$@"'],
    ids=["in a chroot", "below a mount"],
)
def test_a_launcher_whose_root_is_not_its_namespaces_root_starts_the_program_in_the_root_asked_for(
    host: Host, rootfs: str, jail: str
) -> None:
    contained = (host.contain_path, "--chroot", rootfs, *out_of_reach(host))
    accepted(host.finish(*PRIVATE, jail, "sh", *contained))
