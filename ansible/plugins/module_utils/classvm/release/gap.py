"""Measure the gap of a swap: the longest time in which a client gets no answer."""

from __future__ import annotations

import contextlib
import http
import threading
import time
from typing import Optional

from . import asking

LOOPBACK = "127.0.0.1"
POLL_SECONDS = 0.01
# Where somebody answers all the time, the requests of this client would take time from the others.
RARE_POLL_SECONDS = 0.05
# Longer than a healthy service needs to answer, and much shorter than the gap of a swap.
ANSWER_SECONDS = 0.5
# How long to wait after the swap for the answer that ends the gap.
LAST_SECONDS = 2.0
# Names this client in the service's log.
USER_AGENT = "classvm-gap"


class Watch:
    """Sends requests to a port, one after the other, while the ``with`` block runs.

    Every HTTP answer counts except those of status 5xx, which the edge gives when no release is
    behind it. Whether an answer is correct is for the contract check to find out.

    Attributes:
        gap: longest time between two answers, in seconds; None when the port did not answer before.
            When it does not answer afterwards, it is the time up to the end of the watch.
        seconds: how long the block ran.

    """

    def __init__(
        self, port: int, address: str = LOOPBACK, poll_seconds: float = POLL_SECONDS
    ) -> None:
        """Prepare to watch a TCP port of this host, or of the host with that address."""
        self.poll_seconds = poll_seconds
        self.port = port
        self.address = address
        self.gap: Optional[float] = None
        self.seconds = 0.0
        self._last = 0.0
        self._started = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)

    def __enter__(self) -> None:
        """Begin to send requests, unless the port does not answer even now."""
        if answers(self.port, self.address):
            self.gap, self._last = 0.0, time.monotonic()
            self._thread.start()
        self._started = time.monotonic()

    def __exit__(self, *_: object) -> None:
        """Wait for one more answer, then stop."""
        ended = time.monotonic()
        self.seconds = ended - self._started
        if self.gap is None:
            return
        # Somebody waits for the end of it: the last question does not wait for its turn.
        self._stop.set()
        self._thread.join()
        while not self._ask() and time.monotonic() < ended + LAST_SECONDS:
            time.sleep(POLL_SECONDS)
        if self._last < ended:
            self._note(time.monotonic())

    def _poll(self) -> None:
        while not self._stop.wait(self.poll_seconds):
            self._ask()

    def _ask(self) -> bool:
        is_answered = answers(self.port, self.address)
        if is_answered:
            now = time.monotonic()
            self._note(now)
            self._last = now
        return is_answered

    def _note(self, now: float) -> None:
        self.gap = max(self.gap or 0.0, now - self._last)


def answers(port: int, address: str = LOOPBACK) -> bool:
    """Tell whether a TCP port gives an answer below 500, over a new connection."""
    with contextlib.suppress(OSError):
        found = asking.status_of(address, port, "GET", USER_AGENT, ANSWER_SECONDS)
        return found < http.HTTPStatus.INTERNAL_SERVER_ERROR
    return False
