"""Standard error is full: `unread.py CONTAIN ROOTFS` prints which message is lost, or keeps the launcher from being ended."""

import fcntl
import os
import signal
import subprocess
import sys
import time

contain, rootfs = sys.argv[1:]
HOG = "x=x; while :; do x=$x$x; done"
CASES = {  # the end of a line that is said
    "a refusal": (["--pids-limit", "1", "--", "/nonexistent"], b"not found inside the rootfs\n"),
    "a refusal, signals blocked": (["--workdir", "/nonexistent", "--", "true"], b"No such file or directory\n"),
    "a warning": (["--memory-limit", "1m", "--", "true"], b"only small static programs live in it\n"),
    "who ran out of memory": (["--memory-limit", "8m", "--", "sh", "-c", HOG], b" reached, peak 8 MiB\n"),
}  # fmt: skip


def full_pipe() -> tuple[int, int]:
    read, write = os.pipe()
    flags = fcntl.fcntl(write, fcntl.F_GETFL)
    fcntl.fcntl(write, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    try:
        while True:
            os.write(write, b"-" * 4096)
    except BlockingIOError:
        fcntl.fcntl(write, fcntl.F_SETFL, flags)
    return read, write


def silent(running: "subprocess.Popen[bytes]") -> bool:
    """Whether the launcher waits: it has not ended, and sleeps."""
    deadline = time.monotonic() + 10
    asleep = 0
    while running.poll() is None and time.monotonic() < deadline and asleep < 5:
        with (
            open(f"/proc/{running.pid}/wchan", encoding="ascii") as where,
            open(f"/proc/{running.pid}/stat", encoding="utf-8") as stat,
        ):
            asleep = asleep + 1 if stat.read().rpartition(")")[2].split()[0] == "S" and "poll" in where.read() else 0
        time.sleep(0.1)
    return running.poll() is None


for case, (words, last) in CASES.items():
    read, write = full_pipe()
    running = subprocess.Popen([contain, "--chroot", rootfs, *words], stderr=write, stdin=subprocess.DEVNULL)
    os.close(write)
    if not silent(running):
        print(f"{case}: it does not wait for its reader: {running.returncode}")
    said = b""
    while piece := os.read(read, 65536):
        said += piece
    os.close(read)
    running.wait()
    if last not in said or not said.endswith(b"\n"):
        print(f"{case}: {said.lstrip(b'-')!r}")
    others = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT) if "blocked" in case else ()
    for number in (signal.SIGTERM, *others):
        read, write = full_pipe()
        running = subprocess.Popen([contain, "--chroot", rootfs, *words], stderr=write, stdin=subprocess.DEVNULL)
        os.close(write)
        silent(running)
        running.send_signal(number)
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            print(f"{case}: {number.name} does not end it")
            running.kill()
            running.wait()
        os.close(read)
