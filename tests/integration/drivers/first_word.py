"""A signal right after the program's first word: `first_word.py CONTAIN ROOTFS ROUNDS` prints what no handler caught."""

import signal
import subprocess
import sys

contain, rootfs, rounds = sys.argv[1:]
script = "trap 'echo caught; exit 5' USR1; echo on; while :; do usleep 10000; done"
for step in range(int(rounds)):
    words = [contain, "--chroot", rootfs, "--quiet", "--", "sh", "-c", script]
    running = subprocess.Popen(words, stdout=subprocess.PIPE, bufsize=0)
    assert running.stdout is not None
    if running.stdout.readline() != b"on\n":
        print(f"step {step}: the program did not start")
        continue
    running.send_signal(signal.SIGUSR1)
    heard, status = running.stdout.read(), running.wait()
    if (heard, status) != (b"caught\n", 5):
        print(f"step {step}: heard {heard!r}, status {status}")
