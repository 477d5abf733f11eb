"""`--tty` under a real terminal: `own_terminal.py CONTAIN FOLDER PATIENCE SCENARIO` prints what was not as it should be.

FOLDER holds the yardstick, whose sessions are used: a shell on a terminal, driven by words.
"""

import os
import signal
import sys
import termios
from typing import TYPE_CHECKING

contain, folder, patience, chosen = sys.argv[1:]
sys.path.insert(0, folder)

if TYPE_CHECKING:
    from tests.integration.yardstick.measure import Launcher, Measure, descendants, status_of
    from tests.integration.yardstick.sessions import Session, alone, at_prompt
    from tests.integration.yardstick.workers import adopt_orphans
else:
    from yardstick.measure import Launcher, Measure, descendants, status_of
    from yardstick.sessions import Session, alone, at_prompt
    from yardstick.workers import adopt_orphans

LAUNCHER = Launcher([contain, "--chroot", "/", "--env-all", "--quiet", "--tty", "--"])
measure = Measure(LAUNCHER, folder, float(patience))
LFLAG, CC = 3, 6  # in the list of tcgetattr


def check(what: str, holds: bool) -> None:
    if not holds:
        print(what)


def shell() -> Session:
    return at_prompt(measure, "bash", LAUNCHER)


def modes(session: Session) -> list[object]:
    return termios.tcgetattr(session.fd)


def is_raw(session: Session) -> bool:
    return not termios.tcgetattr(session.fd)[LFLAG] & (termios.ICANON | termios.ISIG)


def modes_are_raw_meanwhile_and_restored_at_every_end() -> None:
    ends = {
        "it exits": ("exit 3", 3),
        "it dies of a signal": ("kill -TERM $$", 143),
        "it is killed": ("kill -KILL $$", 137),
        "it stops and is continued": ("kill -STOP $$; exit 4", 4),
        "it changes its own modes": ("stty raw -echo; exit 5", 5),
    }
    with shell() as session:
        before = modes(session)
        for name, (end, status) in ends.items():
            session.line(session.command("sh", "-c", f"echo ready; read x; {end}"))
            session.wait_for("ready")
            check(f"{name}: the caller's terminal is not raw", measure.until(lambda: is_raw(session)))
            session.press("\r")
            session.prompt()
            check(f"{name}: the modes differ", modes(session) == before)
            if "STOP" in end:
                session.line("fg")
                session.prompt()
                check(f"{name}: the modes differ after fg", modes(session) == before)
            check(f"{name}: the status differs", session.status() == status)
        session.line(session.command("no-such-program"))
        session.prompt()
        check("not found: the modes differ", modes(session) == before)


def keys_are_the_inner_terminals() -> None:
    with shell() as session:
        session.line(session.probe())
        session.wait_for("ready")
        measure.until(lambda: is_raw(session))
        for number in range(1, 11):
            session.press("\x03")
            session.wait_for(rf"INT {number}\.")
        session.press("\x1c")
        session.wait_for(r"QUIT 1\.")
        session.press("count\r")
        check("counts differ", session.wait_for(r"counts: (.*)\.") == "INT=10 QUIT=1")
        session.press("\x04")
        session.prompt()
        check("the status differs", session.status() == 0)


def inner_jobs_stop_and_the_launcher_stays() -> None:
    with shell() as session:
        session.line(session.command("bash", "--norc", "--noprofile", "--noediting", "-i"))
        session.prompt()
        measure.until(lambda: is_raw(session))
        session.press("PS1='@inner''@ '\r")
        session.wait_for("@inner@ ")
        session.press(session.bare_probe() + "\r")
        session.wait_for("ready")
        session.press("\x1a")
        session.wait_for("@inner@ ")
        check("the launcher stopped", status_of(session.job())["State"][0] != "T")
        session.press("jobs\r")
        session.wait_for("Stopped")
        session.press("fg\r")
        session.wait_for(r"CONT 1\.")
        session.press("exit 7\r")
        session.wait_for("@inner@ ")
        session.press("exit 3\r")
        session.prompt()
        check("the status differs", session.status() == 3)


def window_is_copied_at_the_start_and_told_once() -> None:
    with shell() as session:
        session.child.setwinsize(30, 90)
        session.line(session.probe())
        session.wait_for("ready")
        measure.until(lambda: is_raw(session))
        session.press("size\r")
        session.wait_for(r"size 30 90\.")
        for number, (rows, columns) in enumerate(((40, 100), (50, 132), (24, 80)), 1):
            session.child.setwinsize(rows, columns)
            session.wait_for(rf"WINCH {number}\. size {rows} {columns}\.")
        os.kill(session.job(), signal.SIGWINCH)  # by hand: the size is what it was, and the program hears of it all the same
        session.wait_for(r"WINCH 4\.")
        session.press("count\r")
        check("counts differ", session.wait_for(r"counts: (.*)\.") == "WINCH=4")
        session.press("exit 0\r")
        session.prompt()


def modes_are_copied_at_the_start() -> None:
    with shell() as session:
        session.shell("stty erase '^E' iutf8 -ixon")
        session.line(session.command("stty", "-a"))
        said = session.wait_for(r"(?s)(speed.*)@prompt@ ")
        for word in ("erase = ^E", " iutf8", "-ixon"):
            check(f"{word} is missing", word in said)


def in_the_background_it_stops_until_it_is_in_the_foreground() -> None:
    with shell() as session:
        before = modes(session)
        session.line(session.probe() + " &")
        session.prompt()
        job = session.job()
        check("it does not stop", session.settles(job, "T"))
        check("it changed the modes in the background", modes(session) == before)
        session.line("fg")
        check("the terminal is not raw after fg", measure.until(lambda: is_raw(session)))
        session.press("size\r")
        session.wait_for(r"size 24 80\.")
        session.press("exit 6\r")
        session.prompt()
        check("the modes differ", modes(session) == before)
        check("the status differs", session.status() == 6)


def stopped_from_outside_it_is_raw_again_after_fg() -> None:
    with shell() as session:
        before = modes(session)
        session.line(session.probe())
        session.wait_for("ready")
        measure.until(lambda: is_raw(session))
        os.kill(session.job(), signal.SIGSTOP)
        session.prompt()
        session.line("fg")
        session.wait_for(r"CONT 1\.")
        check("the terminal is not raw after fg", measure.until(lambda: is_raw(session)))
        session.press("exit 6\r")
        session.prompt()
        check("the modes differ", modes(session) == before)


def keys_of_a_terminal_that_is_not_its_input() -> None:
    with shell() as session:
        session.line(session.probe("deaf") + " </dev/null")
        session.wait_for("ready")
        check("the caller's terminal is raw", not is_raw(session))
        for number in range(1, 6):
            session.press("\x03")
            session.wait_for(rf"INT {number}\.")
        session.press("\x1a")
        session.prompt()
        job = session.job()
        below = descendants(job)
        check("the launcher did not stop", session.settles(job, "T"))
        check("the program did not stop", measure.until(lambda: any(status_of(pid)["State"][0] == "T" for pid in below)))
        session.line("fg")
        session.wait_for(r"CONT 1\.")
        os.kill(job, signal.SIGUSR2)
        session.prompt()
        check("the status differs", session.status() == 6)


def hang_up_ends_it() -> None:
    with alone(measure, ["sh", "-c", "sleep 1000 & echo ready; wait"], LAUNCHER) as session:
        session.wait_for("ready")
        started = [session.pid, *descendants(session.pid)]
        session.hang_up()
        check("something is left", all(session.settles(pid, "Z-") for pid in started))


def nothing_of_the_callers_terminal_is_inside() -> None:
    script = "import os; print('devices', sorted({os.fstat(n).st_dev for n in range(3)}), os.ttyname(0), end='.')"
    with shell() as session:
        session.line(session.command("/usr/bin/python3", "-IS", "-c", script))
        device = session.wait_for(r"devices \[(\d+)\] /dev/pts/0\.")
        session.prompt()
        with open(f"/proc/{session.pid}/fd/0") as terminal:
            check("the terminal is the caller's", int(device) != os.fstat(terminal.fileno()).st_dev)


adopt_orphans()
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
try:
    globals()[chosen]()
except Exception as error:
    print(f"{type(error).__name__}: {error}")
