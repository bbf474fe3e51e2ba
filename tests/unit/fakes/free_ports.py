"""Ports on which nobody listens, for the tests of several processes that run at once."""

from __future__ import annotations

import itertools
import os
import socket

LOOPBACK = "127.0.0.1"
# Below those that the kernel hands out by itself. Each process of pytest-xdist has its own.
FIRST, EACH, WORKERS = 20000, 1000, 10
# The name of this process, "gw3" for the fourth; there is none where pytest runs alone.
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % WORKERS
CANDIDATES = itertools.cycle(range(FIRST + WORKER * EACH, FIRST + (WORKER + 1) * EACH))


def free_port() -> int:
    """Return a port that nobody uses; the next call returns another one."""
    for port in itertools.islice(CANDIDATES, EACH):
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no port is free from {FIRST + WORKER * EACH} on")
