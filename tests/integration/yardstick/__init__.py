"""The yardstick of transparency: the same command bare and through a launcher, under the same parent.

It runs inside a host with Python 3.11 and its standard library: `python3 -IS YARDSTICK --launcher WORDS [NAME…]` takes the
rows named (`S01`, or `exit_statuses` for a part of one; all of them without) and prints one JSON line per check.
"""
