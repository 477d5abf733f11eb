"""SIGTERM at every moment of a launch: `early.py CONTAIN ROOTFS ROUNDS` prints a line for each launch that did not die of it."""

import signal
import subprocess
import sys
import time

contain, rootfs, rounds = sys.argv[1:]
words = [contain, "--chroot", rootfs, "--quiet", "--memory-limit", "32MiB", "--", "sleep", "1000"]
began = time.monotonic()
subprocess.run([*words[:-2], "true"], check=True)
launch = time.monotonic() - began
for step in range(int(rounds)):
    running = subprocess.Popen(words, stderr=subprocess.PIPE)
    time.sleep(launch * 1.5 * step / int(rounds))
    running.send_signal(signal.SIGTERM)
    try:
        _, said = running.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        print(f"step {step}: SIGTERM was lost")
        running.kill()
        running.communicate()
        continue
    if running.returncode != -signal.SIGTERM or said:
        print(f"step {step}: status {running.returncode}, said {said!r}")
