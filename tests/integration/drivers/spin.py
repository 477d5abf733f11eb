"""Inside a container: `spin.py SECONDS` tells as JSON which cores it was given, and which its spinning children run on.

It looks until every core it was told of has been seen, at least two hundred times and at most for SECONDS.
"""

import json
import os
import sys
import time
from pathlib import Path

PROCESSOR = 39 - 3  # proc(5), /proc/PID/stat: the third field is the first behind the name
LOOKS = 200

told = sorted(os.sched_getaffinity(0))
children = []
for _ in range(2 * len(told)):
    pid = os.fork()
    if pid == 0:
        while True:
            pass
    children.append(pid)

seen: set[int] = set()
deadline, looks = time.monotonic() + float(sys.argv[1]), 0
while time.monotonic() < deadline and (looks < LOOKS or not seen.issuperset(told)):
    for pid in children:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        seen.add(int(fields[PROCESSOR]))
    looks += 1
    time.sleep(0.005)
for pid in children:
    os.kill(pid, 9)
print(json.dumps({"told": told, "ran on": sorted(seen)}))
