"""A machine on which much else goes on."""

from tests.integration.harness.host import Host


def test_mounts_elsewhere_do_not_disturb_a_launch(host: Host, rootfs: str) -> None:
    """While anything is mounted, the kernel may not vouch for a path with `..`, and answer: ask again; openat2(2)."""
    place = host.new("storm")
    host.run("mkdir", place)
    assert host.drive("storm.py", rootfs, place, str(host.rounds(60)), str(host.rounds(200))) == []
    host.run("rmdir", place)
