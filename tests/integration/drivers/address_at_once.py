"""Two starts at once with one address: `address_at_once.py CONTAIN ROUNDS OPTIONS…` prints the rounds that not one of them won.

Each has a pid namespace and a /proc of its own, in which it is process 1.
"""

import subprocess
import sys

contain, rounds, *options = sys.argv[1:]
view = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
words = [*view, contain, "--quiet", *options, "--", "sh", "-c", "echo in; exec cat"]
for step in range(int(rounds)):
    both = [
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        for _ in range(2)
    ]
    said = [each.stdout.readline() for each in both if each.stdout]  # of the refused one: end of file
    rest = [each.communicate() for each in both]
    ends = [each.returncode for each in both]
    refusals = [b"already in use by another contained program" in err for _, err in rest]
    if sorted(said) != [b"", b"in\n"] or sorted(ends) != [0, 125] or refusals != [not word for word in said]:
        print(f"round {step}: {said} {ends} {rest}")
