"""The command line: one dash or two, a blank or `=`, the mission's `chroot DIR`, and refusals that name the option."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contain.errors import ContainError
from contain.options import HELP, TABLE, Options, parse

SAMPLES = {
    "chroot": b"/r", "memory-limit": b"64MB", "cpu-core-ids": b"1,3", "network-address": b"192.168.2.17/24",
    "bridge": b"br0", "pids-limit": b"7", "bind": b"/srv:/data", "tmpfs": b"/tmp", "workdir": b"/srv", "env": b"A=b=c",
    "hostname": b"web", "user": b"1000:1001", "preserve-fds": b"2", "cgroup-parent": b"/box",
}  # fmt: skip
VALUED = [option for option in TABLE if option.take]
FLAGS = [option for option in TABLE if not option.take]


def content(options: Options) -> str:
    return repr({name: getattr(value, "__dict__", value) for name, value in vars(options).items()})


def test_every_option_has_a_sample_here_and_a_field() -> None:
    assert set(SAMPLES) == {option.name for option in VALUED}
    assert all(hasattr(Options(), option.field) for option in TABLE)


@pytest.mark.parametrize("option", VALUED, ids=lambda option: option.name)
def test_all_spellings_of_an_option_mean_the_same(option: object) -> None:
    name, alias = option.name, option.alias  # type: ignore[attr-defined]
    value, program = SAMPLES[name], [b"prog", b"-x"]
    readings = set()
    for spelling in [name, alias] if alias else [name]:
        for dashes in (b"-", b"--"):
            typed = dashes + spelling.encode()
            readings.add(content(parse([typed, value, *program])))
            readings.add(content(parse([typed + b"=" + value, *program])))
            readings.add(content(parse([typed, value, b"--", *program])))
    assert len(readings) == 1
    assert content(parse(program)) not in readings


@pytest.mark.parametrize("option", FLAGS, ids=lambda option: option.name)
def test_a_flag_takes_no_value(option: object) -> None:
    name, field = option.name, option.field  # type: ignore[attr-defined]
    for typed in (b"-" + name.encode(), b"--" + name.encode()):
        assert getattr(parse([typed, b"prog"]), field) is True
    with pytest.raises(ContainError, match=f"--{name}: it takes no value"):
        parse([f"--{name}=yes".encode(), b"prog"])


def test_the_example_of_the_mission_is_read_word_for_word() -> None:
    words = b"chroot /var/run/mytask --memory-limit 1MB --cpu-coreids 1,3 --network-address 192.168.2.17/24"
    options = parse([*words.split(), b"--", b"someprogram", b"arg1", b"arg"])
    assert options.chroot == b"/var/run/mytask"
    assert options.memory_limit == 10**6
    assert options.cpu_core_ids == (1, 3)
    assert str(options.network_address) == "192.168.2.17/24"
    assert options.program == [b"someprogram", b"arg1", b"arg"]


@pytest.mark.parametrize(
    ("words", "program"),
    [
        ([b"--", b"--chroot", b"x"], [b"--chroot", b"x"]),
        ([b"prog", b"--chroot", b"x"], [b"prog", b"--chroot", b"x"]),
        ([b"--quiet", b"--", b"--", b"x"], [b"--", b"x"]),
        ([b"--quiet", b"-"], [b"-"]),
        ([b"--quiet", b""], [b""]),
        ([b"--quiet", b"--"], []),
        ([], []),
        ([b"--quiet", b"chroot", b"/r", b"chroot", b"/s"], [b"chroot", b"/s"]),
    ],
)
def test_the_first_word_that_is_no_option_is_the_program(words: list[bytes], program: list[bytes]) -> None:
    assert parse(words).program == program


@pytest.mark.row("B91")
@given(st.lists(st.binary(max_size=8)))
def test_arguments_of_the_program_are_never_touched(arguments: list[bytes]) -> None:
    assert parse([b"--chroot", b"/r", b"prog", *arguments]).program == [b"prog", *arguments]


@pytest.mark.row("B70")
@given(st.binary(min_size=1).filter(lambda raw: 0 not in raw))
def test_a_root_of_any_bytes_is_taken_as_it_is(path: bytes) -> None:
    assert parse([b"--chroot=" + path, b"prog"]).chroot == path
    assert path.startswith(b"-") or parse([b"chroot", path, b"prog"]).chroot == path


@given(st.binary(min_size=1).filter(lambda raw: 0 not in raw))
def test_a_value_that_is_no_option_is_taken_though_it_begins_with_a_dash(rest: bytes) -> None:
    names = {spelling.encode() for option in TABLE for spelling in (option.name, option.alias) if spelling}
    if rest.lstrip(b"-").partition(b"=")[0] not in names | {b""}:
        assert parse([b"--chroot", b"-" + rest, b"prog"]).chroot == b"-" + rest


@pytest.mark.parametrize("typed", HELP)
def test_help_is_no_directory(typed: bytes) -> None:
    options = parse([b"chroot", typed])
    assert (options.help, options.chroot) == (True, None)


@pytest.mark.parametrize("option", VALUED, ids=lambda option: option.name)
@pytest.mark.parametrize("other", [b"--quiet", b"-memory-limit", b"--env=A=1", b"-h"])
def test_another_option_is_no_value(option: object, other: bytes) -> None:
    name = option.name  # type: ignore[attr-defined]
    with pytest.raises(ContainError, match=f"--{name}: its value .* is missing: {other.decode()} is an option") as caught:
        parse([b"--" + name.encode(), other, b"prog"])
    assert f"--{name}={other.decode()}" in caught.value.hint


@pytest.mark.parametrize("option", VALUED, ids=lambda option: option.name)
@pytest.mark.parametrize("program", [b"sh", b"/bin/sh", b"m", b"-", b"7", b",", b":", b"", b"./x", b"MB"])
def test_a_whole_value_is_never_taken_for_one_that_a_blank_has_cut(option: object, program: bytes) -> None:
    name, value = option.name, SAMPLES[option.name]  # type: ignore[attr-defined]
    assert parse([b"--" + name.encode(), value, program]).program == [program]


def test_a_bind_that_can_be_written_to_may_say_so() -> None:
    assert parse([b"--bind", b"/a:/b:rw", b"p"]).bind == parse([b"--bind", b"/a:/b", b"p"]).bind == [(b"/a", b"/b", False)]


@pytest.mark.parametrize("option", VALUED, ids=lambda option: option.name)
def test_a_value_that_is_missing_is_named(option: object) -> None:
    name, metavar = option.name, option.metavar  # type: ignore[attr-defined]
    with pytest.raises(ContainError, match=re.escape(f"--{name}: its value {metavar} is missing")):
        parse([b"--quiet", b"--" + name.encode()])


@pytest.mark.row("B24")
@pytest.mark.parametrize("option", TABLE, ids=lambda option: option.name)
def test_an_option_given_twice_is_refused_unless_it_may_repeat(option: object) -> None:
    name, many = option.name, option.many  # type: ignore[attr-defined]
    once = [f"--{name}".encode(), *([SAMPLES[name]] if name in SAMPLES else [])]
    if many:
        assert parse([*once, *once, b"prog"]).program == [b"prog"]
        return
    with pytest.raises(ContainError, match=f"--{name}: it is given twice"):
        parse([*once, *once, b"prog"])


def test_two_spellings_of_one_option_are_still_twice() -> None:
    with pytest.raises(ContainError, match="--cpu-core-ids: it is given twice"):
        parse([b"--cpu-core-ids", b"0", b"-cpu-coreids=0"])


@pytest.mark.parametrize("typed", [b"--nosuch", b"-H", b"-m", b"--memory", b"---chroot", b"--Chroot", b"--env ", b"-=x"])
def test_an_unknown_option_is_named_and_never_guessed(typed: bytes) -> None:
    with pytest.raises(ContainError, match=re.escape(f"option {typed.decode()}: there is no such option")) as caught:
        parse([typed, b"/r", b"prog"])
    assert caught.value.hint
    assert caught.value.status == 125


def test_an_option_that_is_no_utf8_is_shown_as_an_escape() -> None:
    with pytest.raises(ContainError, match=re.escape(r"option --\xff\n: there is no such option")):
        parse([b"--\xff\n"])


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([b"--memory-limit=\xff"], r"--memory-limit \xff: a memory limit is a whole number"),
        ([b"--memory-limit="], "--memory-limit: the memory limit is empty"),
        ([b"--chroot="], "--chroot: the rootfs is empty"),
        ([b"--bind", b"/srv"], "--bind /srv: a bind is SRC:DST"),
        ([b"--tmpfs", b"tmp"], "--tmpfs tmp: a path inside the root begins with /"),
        ([b"--pids-limit", b"0"], "--pids-limit 0: the number of tasks is a whole number from 1 to"),
        ([b"--cpu-coreids", b"1-0"], "--cpu-core-ids 1-0: the cpu range 1-0 runs backwards"),
    ],
)
def test_a_bad_value_is_shown_with_its_option_and_the_reason(words: list[bytes], line: str) -> None:
    with pytest.raises(ContainError) as caught:
        parse(words)
    assert str(caught.value).startswith(line)
    assert caught.value.status == 125


def test_mounts_keep_the_order_in_which_they_were_typed() -> None:
    options = parse([b"--tmpfs", b"/a", b"--bind", b"/s:/a/b:ro", b"--tmpfs=/a/c", b"prog"])
    assert options.mounts == [("tmpfs", b"/a"), ("bind", (b"/s", b"/a/b", True)), ("tmpfs", b"/a/c")]


def test_no_limit_is_set_that_nobody_asked_for_but_on_tasks() -> None:
    options = parse([b"--chroot", b"/r", b"prog"])
    assert (options.memory_limit, options.cpu_core_ids, options.network_address) == (None, None, None)
    assert options.pids_limit == 4096
    assert parse([b"--pids-limit", b"max", b"prog"]).pids_limit is None
