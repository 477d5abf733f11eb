"""Whoever does not read standard error gets what was said later, and can still end the launcher."""

from tests.integration.harness.host import Host


def test_a_full_standard_error_loses_no_words_and_deafens_nobody(host: Host, rootfs: str) -> None:
    assert host.drive("unread.py", rootfs, within=300) == []
