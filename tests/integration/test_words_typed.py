"""What people type: help wherever they ask for it, the nearest name for one that is not there, and never a wrong guess."""

import signal
from collections.abc import Iterator

import pytest

from tests.integration.harness import images
from tests.integration.harness.host import Host
from tests.integration.harness.judge import SEVEN, accepted, refused

pytestmark = pytest.mark.anywhere

NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
HEADING = "contain runs any Linux program"
COMMANDS = ("chroot", "explain", "demo", "gc", "man", "completion", "version", "help")


def test_contain_alone_says_how_it_is_used(host: Host) -> None:
    ran = host.contained()
    assert (ran.status, ran.stdout) == (125, b""), ran
    assert HEADING in ran.errors


@pytest.mark.parametrize(
    "words", [("-h",), ("-help",), ("--help",), ("help",), ("--chroot", "/nowhere", "-h"), ("--quiet", "--help", "--dry-run")]
)
def test_help_is_given_to_whoever_asks(host: Host, words: tuple[str, ...]) -> None:
    ran = host.contained(*words).succeeded()
    assert HEADING in ran.text
    assert ran.errors == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_of_its_own_by_four_spellings(host: Host, command: str) -> None:
    asked = [("help", command), (command, "--help"), (command, "-help"), (command, "-h")]
    told = {host.contained(*words).succeeded().text for words in asked}
    assert len(told) == 1, told
    usage = next(iter(told)).splitlines()[0]
    assert usage.startswith(f"contain {command}"), usage


@pytest.mark.parametrize("words", [("explain", "--chroot", "/nowhere", "--help"), ("explain", "chroot", "--help")])
def test_help_is_given_further_on_too(host: Host, words: tuple[str, ...]) -> None:
    ran = host.contained(*words).succeeded()
    assert "contain explain" in ran.text
    assert ran.errors == ""


def test_a_programs_own_help_is_the_programs(host: Host, rootfs: str) -> None:
    ran = host.contained("--chroot", rootfs, "--", "echo", "--help", "-h")
    assert ran.succeeded().line == "--help -h"


@pytest.mark.parametrize("words", [("version",), ("--version",), ("-version",)])
def test_the_version_is_told(host: Host, words: tuple[str, ...]) -> None:
    assert host.contained(*words).succeeded().line.startswith("contain ")


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (("help", "expalin"), "there is no such command\ncontain: hint: .*explain"),
        (("help", "zzz"), "there is no such command\ncontain: hint: .*contain help"),
        (("expalin", "--chroot", "/r", "sh"), "--chroot: no rootfs is named\ncontain: hint: .*explain"),
        (("verison",), "no rootfs is named\ncontain: hint: .*version"),
        (("/srv/rootfs", "sh"), "no rootfs is named\ncontain: hint: contain --chroot"),
        (("help", "gc", "demo"), "one command"),
        (("version", "please"), "takes no arguments"),
        (("man", "please"), "takes no arguments"),
        (("gc", "please"), "takes no arguments"),
    ],
)
def test_a_command_that_is_not_there_is_told_with_the_nearest(host: Host, words: tuple[str, ...], pattern: str) -> None:
    refused(host.contained(*words), pattern)


NEAREST = {
    "--memory": "memory-limit", "-m": "memory-limit", "--mem": "memory-limit", "--memory_limit": "memory-limit",
    "--Memory-Limit": "memory-limit", "--memory-limt": "memory-limit", "--memory-max": "memory-limit",
    "--cpus": "cpu-core-ids", "--cpuset": "cpu-core-ids", "--cpuset-cpus": "cpu-core-ids", "--cores": "cpu-core-ids",
    "--cpu": "cpu-core-ids", "--cpu-core-id": "cpu-core-ids", "--cpu-coreid": "cpu-core-ids",
    "--net": "network-address", "--network": "network-address", "--ip": "network-address", "--ip6": "network-address",
    "--address": "network-address", "--netowrk-address": "network-address",
    "--root": "chroot", "--rootfs": "chroot", "--chrot": "chroot", "-v": "bind", "--volume": "bind", "--mount": "bind",
    "--ro": "read-only", "--readonly": "read-only", "-u": "user", "-e": "env", "-w": "workdir", "--cwd": "workdir",
    "-t": "tty", "-it": "tty", "--pids": "pids-limit", "--dryrun": "dry-run", "-q": "quiet", "-V": "version", "--hlep": "help",
}  # fmt: skip


@pytest.mark.parametrize(("typed", "name"), NEAREST.items())
def test_an_unknown_option_names_the_nearest(host: Host, typed: str, name: str) -> None:
    """It is named and not taken: what it would have done is not guessed."""
    ran = host.contained(typed, "64MB", "--chroot", "/nowhere", "--", "true")
    refused(ran, f"option {typed}: there is no such option\ncontain: hint: .*--{name} ")
    assert len(ran.errors.splitlines()) == 2


@pytest.mark.parametrize("typed", ["--zzzzzz", "-9", "---", "--\udcff\n"])
def test_an_option_that_is_near_to_none_is_not_made_one(host: Host, typed: str) -> None:
    ran = host.contained(typed, "--chroot", "/nowhere", "--", "true")
    refused(ran, "there is no such option\ncontain: hint: contain --help lists them")


def test_explain_names_the_nearest_as_well(host: Host) -> None:
    refused(host.contained("explain", "--memory", "64MB"), "option --memory: .*\ncontain: hint: .*--memory-limit ")


@pytest.mark.parametrize("words", [("chroot", "--memory-limit"), ("--chroot", "--quiet"), ("--bridge", "-env=A=1")])
def test_an_option_in_the_place_of_a_value_is_no_value(host: Host, words: tuple[str, str]) -> None:
    ran = host.contained(*words, "64MB", "--", "true")
    refused(ran, f"--{words[0].lstrip('-')}: its value [A-Z]+ is missing: {words[1]} is an option\ncontain: hint: .*=")


def test_what_looks_like_an_option_can_be_a_value_all_the_same(host: Host) -> None:
    refused(host.contained("--chroot=--quiet", "--", "true"), "rootfs --quiet: No such file")


BLANKS = [
    (("--memory-limit", "64", "MB"), "--memory-limit 64MB"),
    (("--memory-limit", "64 MB"), "--memory-limit 64MB"),
    (("--memory-limit", " 64MB "), "--memory-limit 64MB"),
    (("--memory-limit=64", "MiB"), "--memory-limit 64MiB"),
    (("--memory-limit", "65536", "kB"), "--memory-limit 65536kB"),
    (("-memory-limit", "65536", "k"), "--memory-limit 65536k"),
    (("--cpu-core-ids", "0,", "1"), "--cpu-core-ids 0,1"),
    (("--cpu-core-ids", "0", ",1"), "--cpu-core-ids 0,1"),
    (("--cpu-core-ids", "0, 1"), "--cpu-core-ids 0,1"),
    (("--network-address", "192.168.2.17", "/24"), "--network-address 192.168.2.17/24"),
    (("--network-address", "192.168.2.17 /24"), "--network-address 192.168.2.17/24"),
    (("--user", "1000:", "1000"), "--user 1000:1000"),
    (("--user", "1000", ":1000"), "--user 1000:1000"),
    (("--bind", "/a:/b", ":ro"), "--bind /a:/b:ro"),
]


@pytest.mark.parametrize(("words", "meant"), BLANKS)
def test_a_blank_that_cuts_a_value_is_told(host: Host, rootfs: str, words: tuple[str, ...], meant: str) -> None:
    ran = host.contained("--chroot", rootfs, *words, *SEVEN)
    refused(ran, f"blank.*\ncontain: hint: {meant}")


@pytest.mark.parametrize("name", ["m", "mb", "k"])
def test_a_program_may_be_called_like_a_unit(host: Host, own_rootfs: str, name: str) -> None:
    host.put(f"{own_rootfs}/bin/{name}", "#!/bin/sh\nexit 7\n")
    accepted(host.contained("--chroot", own_rootfs, "--memory-limit", "64MB", name))
    accepted(host.contained("--chroot", own_rootfs, "--memory-limit", "67108864", "--", name))


def test_a_bind_may_say_that_it_can_be_written_to(host: Host, rootfs: str) -> None:
    source = host.new("data")
    host.run("mkdir", source)
    for suffix, writable in (("", True), (":rw", True), (":ro", False)):
        ran = host.contained("--chroot", rootfs, "--bind", f"{source}:/tmp{suffix}", "--", "touch", "/tmp/mark")
        assert (ran.status == 0) is writable, ran
        assert (host.finish("rm", f"{source}/mark").status == 0) is writable, suffix
    host.run("rmdir", source)


@pytest.fixture
def everybody(host: Host, busybox: str) -> Iterator[str]:
    """A root that every user can reach."""
    path = images.make(host, "/tmp/root-for-words", busybox)
    yield path
    host.run("rm", "-r", path)


@pytest.mark.parametrize("words", [("gc",), ("demo",), ("--chroot", "ROOT", "--", "true")])
def test_what_needs_root_is_refused_to_others(host: Host, everybody: str, public_contain: str, words: tuple[str, ...]) -> None:
    ran = host.finish(*NOBODY, public_contain, *[word.replace("ROOT", everybody) for word in words])
    refused(ran, "root|CAP_")


SPEAKING = [("explain", "--chroot", "ROOT", "--", "true"), ("--dry-run", "--chroot", "ROOT", "--", "true"),
            ("--help",), ("help",), ("man",), ("completion", "bash"), ("version",)]  # fmt: skip


UNREAD = """
import os, subprocess, sys
for words in (["cat", "/proc/self/status"], sys.argv[1:]):
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run(words, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    print(ran.returncode, ran.stderr)
"""


@pytest.mark.parametrize("words", SPEAKING, ids=lambda words: words[0])
def test_what_nobody_reads_ends_it_silently_as_it_ends_cat(host: Host, rootfs: str, words: tuple[str, ...]) -> None:
    """The reader has gone before a word is written."""
    told = [word.replace("ROOT", rootfs) for word in words]
    ran = host.run("/usr/bin/python3", "-c", UNREAD, host.contain_path, *told)
    assert ran.lines == [f"{-signal.SIGPIPE} b''"] * 2


def test_a_full_disk_is_told(host: Host) -> None:
    ran = host.finish("sh", "-c", '"$1" --help >/dev/full', "sh", host.contain_path)
    refused(ran, "contain help: No space left on device")


@pytest.mark.parametrize("after", [("--",), ("--tmpfs", "/tmp", "--"), ("--quiet", "--")])
def test_an_option_is_no_end_of_a_value(host: Host, rootfs: str, after: tuple[str, ...]) -> None:
    refused(host.contained("--chroot", rootfs, "--bind", f"{rootfs}:/", *after, *SEVEN), "^contain: --bind .*: the root itself")
