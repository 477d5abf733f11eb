"""Judgements on how a launch ended, for the tables of odd inputs."""

import re

from .running import Finished

SEVEN = ("sh", "-c", "exit 7")  # a program whose status nobody else would choose


def refused(ran: Finished, pattern: str, *statuses: int) -> None:
    """Contain said no, in its own words, naming the thing; with status 125 unless others are given."""
    wanted = statuses or (125,)
    assert ran.status in wanted, f"status {wanted} was expected of {ran}"
    lines = ran.errors.splitlines()
    assert lines, f"a reason was expected of {ran}"
    assert all(line.startswith("contain: ") for line in lines), f"contain's own words were expected of {ran}"
    assert ran.stdout == b"", f"nothing on stdout was expected of {ran}"
    assert re.search(pattern, ran.errors, re.IGNORECASE), f"{pattern!r} was expected on stderr of {ran}"


def accepted(ran: Finished, warning: str = "", status: int = 7) -> None:
    """The program ran; contain warned where it should and was silent elsewhere."""
    assert ran.status == status, f"status {status} was expected of {ran}"
    if warning:
        assert re.search(f"^contain: warning: .*{warning}", ran.errors, re.IGNORECASE | re.MULTILINE), (
            f"a warning like {warning!r} was expected of {ran}"
        )
    else:
        assert ran.errors == "", f"silence was expected of {ran}"
