"""What a program inherits: arguments byte for byte, an empty environment but for PATH, and the caller's limits."""

import pytest

from tests.integration.harness.host import Host


def words(host: Host, rootfs: str, *options: str) -> tuple[str, ...]:
    return (host.contain_path, "--chroot", rootfs, *options, "--")


@pytest.mark.row("B91")
def test_arguments_arrive_byte_for_byte(host: Host, rootfs: str) -> None:
    given = [b"", b"-x", b"--", b"--chroot", b"\xff\xfe", b"a b", b"\n", b"'\"", b"*", "ä".encode()]
    script = 'for word; do printf "%s\\0" "$word"; done'
    ran = host.run(*words(host, rootfs), "sh", "-c", script, "sh", *given)
    assert ran.stdout.split(b"\0")[:-1] == given


@pytest.mark.row("B91")
def test_a_hundred_thousand_arguments_arrive(host: Host, rootfs: str) -> None:
    ran = host.shell('exec "$@" $(seq 100000)', *words(host, rootfs), "sh", "-c", "echo $#", "sh")
    assert ran.line == "100000"


def test_the_environment_is_empty_but_for_path(host: Host, rootfs: str) -> None:
    given = {"LANG": "C", "SECRET": "x", "PATH": "/nowhere:/usr/bin:/bin", "PYTHONPATH": "/tmp"}
    assert host.run(*words(host, rootfs), "env", env=given).lines == ["PATH=/bin:/usr/bin:/sbin:/usr/sbin"]


def test_named_variables_are_passed_on(host: Host, rootfs: str) -> None:
    given = {"KEPT": "as it is", "OTHER": "x"}
    options = ("--env", "KEPT", "--env", "SET=a=b", "--env", "PATH=/bin")
    ran = host.run(*words(host, rootfs, *options), "env", env=given)
    assert sorted(ran.lines) == ["KEPT=as it is", "PATH=/bin", "SET=a=b"]


def test_a_variable_that_the_caller_lacks_is_refused(host: Host, rootfs: str) -> None:
    ran = host.contained("--chroot", rootfs, "--env", "MISSING", "--", "env", env={"PATH": "/bin"})
    assert ran.status == 125
    assert "MISSING" in ran.errors


def test_env_all_passes_every_byte_and_adds_nothing(host: Host, rootfs: str) -> None:
    """Python adds a variable of its own in the C locale: it must not be seen."""
    script = 'exec env -i LANG=C A=1 "$(printf "B=\\377")" "$@"'
    ran = host.shell(script, *words(host, rootfs, "--env-all"), "cat", "/proc/self/environ")
    seen = ran.stdout.split(b"\0")[:-1]
    assert [line for line in seen if not line.startswith(b"PATH=")] == [b"LANG=C", b"A=1", b"B=\xff"]


INHERITED = """
    umask; cut -d' ' -f19 /proc/self/stat; ulimit -n; ulimit -c; ulimit -s; cat /proc/self/oom_score_adj
    cat /proc/self/personality 2>/dev/null; cat /proc/self/timerslack_ns 2>/dev/null
"""


def test_umask_priority_and_limits_are_the_callers(host: Host, rootfs: str) -> None:
    limits = "umask 027; ulimit -n 77; ulimit -c 0; ulimit -s 4096; echo 300 > /proc/self/oom_score_adj"
    change = f'{limits}; exec nice -n 5 "$@"'
    bare = host.shell(change, f"{rootfs}/bin/busybox", "sh", "-c", INHERITED)
    ran = host.shell(change, *words(host, rootfs), "sh", "-c", INHERITED)
    assert ran.lines == bare.lines
    assert "0027" in ran.lines


@pytest.mark.row("B92")
def test_the_start_is_in_the_root_wherever_the_caller_stands(host: Host, rootfs: str) -> None:
    assert host.run(*words(host, rootfs), "pwd", cwd=host.folder).line == "/"


@pytest.mark.row("B92")
def test_a_caller_in_a_deleted_folder_is_no_obstacle(host: Host, rootfs: str) -> None:
    script = 'mkdir "$0/gone" && cd "$0/gone" && rmdir "$0/gone" && exec "$@"'
    assert host.run("sh", "-c", script, host.folder, *words(host, rootfs), "pwd").line == "/"
