"""Try to connect to one port again and again, at a steady rate, over IPv4 and IPv6 in turn.

python3 knock.py PORT SECONDS RATE ADDRESS... prints how many tries there were and how many of
them were answered. Needs nothing but Python 3.8.
"""

from __future__ import annotations

import collections
import contextlib
import errno
import socket
import sys
import time

# A try that is not answered by then is given up: the kernel would repeat it only after a second.
PATIENCE = 0.5


def start(address: str, port: int) -> tuple[socket.socket, int]:
    """Begin to connect; return the socket and the error so far."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    attempt = socket.socket(family, socket.SOCK_STREAM)
    attempt.settimeout(0)
    return attempt, attempt.connect_ex((address, port))


def is_answered(attempt: socket.socket, error: int) -> bool:
    """Tell whether anybody said yes or no to an attempt, and end it."""
    with attempt:
        if error != errno.EINPROGRESS:
            return error in (0, errno.ECONNREFUSED)
        with contextlib.suppress(OSError):  # while it is not connected
            return bool(attempt.getpeername())
        return attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED


def knock(port: int, seconds: float, rate: float, addresses: list[str]) -> tuple[int, int]:
    """Return how many attempts there were, and how many were answered."""
    waiting: collections.deque[tuple[float, socket.socket, int]] = collections.deque()
    tries = answered = 0
    began = time.monotonic()
    while time.monotonic() < began + seconds or waiting:
        now = time.monotonic()
        while now < began + seconds and tries < (now - began) * rate:
            waiting.append((now + PATIENCE, *start(addresses[tries % len(addresses)], port)))
            tries += 1
        while waiting and waiting[0][0] < now:
            _, attempt, error = waiting.popleft()
            answered += is_answered(attempt, error)
        time.sleep(1 / rate)
    return tries, answered


if __name__ == "__main__":
    numbers = knock(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), sys.argv[4:])
    sys.stdout.write("{} {}".format(*numbers))
