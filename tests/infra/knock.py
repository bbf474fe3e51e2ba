"""Try to connect to some ports again and again, at a steady rate, over IPv4 and IPv6 in turn.

python3 knock.py PORT[,PORT...] SECONDS RATE ADDRESS... prints how many attempts there were, how
many of them connected, and how many were refused. Needs nothing but Python 3.8.
"""

from __future__ import annotations

import collections
import contextlib
import errno
import itertools
import socket
import sys
import time

# An attempt that is not answered by then is given up: the kernel would repeat it after a second.
PATIENCE = 0.5
CONNECTED, REFUSED, SILENT = "connected", "refused", "silent"


def start(address: str, port: int) -> tuple[socket.socket, int]:
    """Begin to connect; return the socket and the error so far."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    attempt = socket.socket(family, socket.SOCK_STREAM)
    attempt.settimeout(0)
    return attempt, attempt.connect_ex((address, port))


def outcome(attempt: socket.socket, error: int) -> str:
    """End an attempt and return CONNECTED, REFUSED or SILENT."""
    with attempt:
        if error == errno.EINPROGRESS:
            with contextlib.suppress(OSError):  # while it is not connected
                attempt.getpeername()
                return CONNECTED
            error = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or error
        return {0: CONNECTED, errno.ECONNREFUSED: REFUSED}.get(error, SILENT)


def knock(
    ports: list[int], seconds: float, rate: float, addresses: list[str]
) -> tuple[int, int, int]:
    """Return how many attempts there were, how many connected, and how many were refused."""
    waiting: collections.deque[tuple[float, socket.socket, int]] = collections.deque()
    targets = itertools.cycle(itertools.product(addresses, ports))
    outcomes: collections.Counter[str] = collections.Counter()
    attempts = 0
    began = time.monotonic()
    while time.monotonic() < began + seconds or waiting:
        now = time.monotonic()
        while now < began + seconds and attempts < (now - began) * rate:
            waiting.append((now + PATIENCE, *start(*next(targets))))
            attempts += 1
        while waiting and waiting[0][0] < now:
            _, attempt, error = waiting.popleft()
            outcomes[outcome(attempt, error)] += 1
        time.sleep(1 / rate)
    return attempts, outcomes[CONNECTED], outcomes[REFUSED]


if __name__ == "__main__":
    chosen = [int(port) for port in sys.argv[1].split(",")]
    numbers = knock(chosen, float(sys.argv[2]), float(sys.argv[3]), sys.argv[4:])
    sys.stdout.write("{} {} {}".format(*numbers))
