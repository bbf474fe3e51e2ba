"""Search with a regular expression of somebody else's, for a time that ends.

Some expressions take time that doubles with each character: `^(a+)+$` on forty of them and a dot
would take years. Python's own search looks for signals on the way.
"""

from __future__ import annotations

import contextlib
import re
import signal
import threading
from typing import Iterator

# Of the processor. Usual searches take microseconds.
SECONDS = 1.0


class TooLongError(Exception):
    """A search did not end in time; the text is the expression."""


def found(pattern: str, text: str) -> bool:
    """Tell whether ``pattern`` is found in ``text``.

    Raises:
        TooLongError: that would take too long.
        re.error: the expression is not valid.

    """
    with _limit(pattern):
        return re.search(pattern, text) is not None


@contextlib.contextmanager
def _limit(pattern: str) -> Iterator[None]:
    """End what takes too long. Only the main thread gets signals; nothing here runs in another."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise TooLongError(pattern)

    former = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, former)
