"""Bugs planted in the launcher: `bugs.py CONTAIN list|MANY OPTIONS…` prints each one that was not told as it should be.

Every step of every process, every undo and the turns of the launcher get an exception that nobody foresaw: MANY of the four
classes at each place, in turn. As `bugs.py CONTAIN plant PLACE CLASS OPTIONS…` it is the launcher with that one bug.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

CLASSES = ("KeyError", "RecursionError", "SystemExit", "OSError")
BEFORE = (  # the program must not run
    "options.parse", "plan.make", "child.Caller.__init__", "child.Caller.look_at_terminal", "child.Pipes.__init__",
    "child.fork", "child.Child._init", "child.Child._program", "child.Child._exec_stub", "launch.Launch._start",
    "launch.Launch._heard", "relay.Relay.__init__",
)  # fmt: skip
AFTER = (  # it may have run, and is ended
    "launch.Launch._all_said", "launch.Launch._now_running", "launch.Launch._talk", "launch.Launch._end_children",
    "relay.Relay.watch", "relay.Relay.take", "relay.Relay.ended_with_init", "relay.let_streams_go",
)  # fmt: skip


def thrown(name: str) -> BaseException:
    if name == "KeyError":
        return KeyError("planted\n\x1b[31m\u2028")  # words that could break a line, or need a codec
    if name == "SystemExit":
        return SystemExit(0)
    return RecursionError("planted") if name == "RecursionError" else OSError("planted")


def bug(name: str) -> Callable[..., Any]:
    def planted(*_: object, **__: object) -> None:
        raise thrown(name)

    return planted


def load(contain: str) -> None:
    """What bin/contain does, but for its last line, which starts it."""
    with open(contain, encoding="utf-8") as script:
        source = script.read().rpartition("\nmain()")[0]
    exec(compile(source, contain, "exec"), {"__file__": contain, "__name__": "__main__"})  # noqa: S102


def plant(contain: str, place: str, name: str, words: list[str]) -> None:
    load(contain)
    from contain import child, cli, launch, options, plan, relay, step

    caller: Any = cli
    modules = {"child": child, "launch": launch, "options": options, "plan": plan, "relay": relay}
    kind, _, rest = place.partition(":")
    if kind in ("step", "undo", "list"):
        make = plan.make

        def made(*given: Any) -> Any:
            found = make(*given)
            if kind == "list":
                host = len(found.host)
                undone = [n for n, one in enumerate(found.host) if type(one).undo is not step.Step.undo]
                print(len(found.steps()), host, *undone, flush=True)
                raise SystemExit
            one = found.steps()[int(rest)]
            setattr(one, "run" if kind == "step" else "undo", bug(name))
            return found

        caller.make = made
    else:
        module, *path, last = rest.split(".")
        owner: Any = modules[module]
        for word in path:
            owner = getattr(owner, word)
        setattr(owner, last, bug(name))
        if hasattr(caller, last):
            setattr(caller, last, bug(name))
    caller.arguments = lambda: [word.encode() for word in words]
    sys.argv = [contain, *words]
    cli.main()


def planted(contain: str, place: str, name: str, words: list[str]) -> "subprocess.CompletedProcess[str]":
    me = [sys.executable, "-IS", __file__, contain, "plant", place, name, *words]
    try:
        return subprocess.run(
            me, stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(me, -1, "", "it hangs")


def wrong(place: str, name: str, late: bool, ran: "subprocess.CompletedProcess[str]") -> str:
    """What is not as it should be; nothing if all is."""
    lines = ran.stderr.splitlines()
    told = [line for line in lines if line.startswith("contain: bug: ")]
    if ran.returncode != 125 or len(told) != 1:
        return f"{place} {name}: status {ran.returncode}, {ran.stderr!r}"
    if not re.fullmatch(rf"contain: bug: {name}\b.* at \S*bugs\.py:\d+, in planted", told[0]):
        return f"{place} {name}: {told[0]!r}"
    if any(not line.startswith("contain: ") for line in lines) or lines[lines.index(told[0]) + 1 :][:1] == []:
        return f"{place} {name}: {ran.stderr!r}"
    return f"{place} {name}: the program ran" if ran.stdout and not late else ""


def main() -> None:
    contain, verb, *rest = sys.argv[1:]
    if verb == "plant":
        plant(contain, rest[0], rest[1], rest[2:])
        return
    listed = planted(contain, "list:", "KeyError", rest)
    steps, _, *undone = map(int, listed.stdout.split())
    places = [(f"step:{n}", False) for n in range(steps)] + [(f"undo:{n}", True) for n in undone]
    places += [(f"call:{name}", False) for name in BEFORE] + [(f"call:{name}", True) for name in AFTER]
    if "--tty" in rest:
        places.remove(("call:relay.let_streams_go", True))  # the launcher stands between the streams
    for number, (place, late) in enumerate(places):
        for turn in range(int(verb)):
            name = CLASSES[(number + turn) % len(CLASSES)]
            pause = "1" if place.endswith(".take") else "0"  # nothing is to be taken once the program has been seen to end
            said = wrong(place, name, late, planted(contain, place, name, [word.replace("PAUSE", pause) for word in rest]))
            if said:
                print(said)


main()
