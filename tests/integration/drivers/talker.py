"""Inside a container: `talker.py tcp|udp NAME ADDRESS` answers on that address, and asks others when it is told to.

Whatever a peer sends goes back to it behind NAME, and `heard PEER` tells who it was. A line `PEER SECONDS` on stdin is the
other side of it: `<1> NAME answered` if every byte came back, else `<1> no answer: REASON`, and `<2>` next.
"""

import os
import socket
import sys
import threading
import time

PORT = 7
SIZE = {"tcp": 1 << 20, "udp": 1000}  # more than any buffer on the way holds, and one packet


def rest(connection: socket.socket) -> bytes:
    """What the peer sends until it closes its side."""
    parts = []
    while part := connection.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def serve() -> None:
    while True:
        if kind == "udp":
            data, peer = listener.recvfrom(1 << 16)
            listener.sendto(name + data, peer)
        else:
            connection, peer = listener.accept()
            with connection:
                connection.sendall(name + rest(connection))
        print(f"heard {peer[0]}", flush=True)


def exchange(address: str, data: bytes, seconds: float) -> bytes:
    with socket.socket(family, listener.type) as asker:
        asker.settimeout(seconds)
        asker.connect((address, PORT))
        asker.sendall(data)
        if kind == "udp":
            return asker.recv(1 << 16)
        asker.shutdown(socket.SHUT_WR)
        return rest(asker)


def ask(address: str, seconds: float) -> str:
    """Tried again until the time is over: a peer that was sought before it was there is given up first, after three seconds."""
    data, deadline = os.urandom(SIZE[kind]), time.monotonic() + seconds
    while True:
        try:
            answer = exchange(address, data, 1 if kind == "udp" else max(seconds / 20, 0.25))
        except OSError as error:
            if time.monotonic() > deadline:
                return f"no answer: {error}"
            time.sleep(0.02)
        else:
            return f"{answer[: -len(data)].decode()} answered" if answer.endswith(data) else "no answer: other bytes came back"


kind, name, own = sys.argv[1], sys.argv[2].encode(), sys.argv[3]
family = socket.AF_INET6 if ":" in own else socket.AF_INET
listener = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
listener.bind((own, PORT))
if kind == "tcp":
    listener.listen()
threading.Thread(target=serve, daemon=True).start()
print("listening", flush=True)
for number, order in enumerate(sys.stdin, 1):
    address, seconds = order.split()
    print(f"<{number}> {ask(address, float(seconds))}", flush=True)
