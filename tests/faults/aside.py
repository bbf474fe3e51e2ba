"""Do something in a process of its own, and hear from it.

What measures must not have to wait for what this process does meanwhile: to start a program, for
example, holds all of its threads.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

# What the work refers to goes along as it is.
CONTEXT = multiprocessing.get_context("fork")


class Aside:
    """A process that does some work, from `start` until it ends or to `stop`."""

    def __init__(
        self, work: Callable[[Callable[[Any], None]], None], heard: Callable[[Any], None]
    ) -> None:
        """Prepare for the work.

        Args:
            work: done in the other process; it is given a function that tells this one something.
            heard: called here, in a thread, with all that is told.

        """
        self._work = work
        self._heard = heard

    def start(self) -> None:
        """Begin."""
        receiving, sending = CONTEXT.Pipe(duplex=False)
        self._process = CONTEXT.Process(target=self._work, args=(sending.send,), daemon=True)
        self._process.start()
        # The other process alone can tell now: when it ends, so does the listening.
        sending.close()
        self._thread = threading.Thread(target=self._listen, args=(receiving,), daemon=True)
        self._thread.start()

    @property
    def goes_on(self) -> bool:
        """Whether the work is still being done."""
        return self._process.is_alive()

    def join(self, seconds: float) -> None:
        """Wait until it has ended and all was heard; it is ended after that time."""
        self._process.join(seconds)
        self.stop()

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.join()
        self._thread.join()

    def _listen(self, receiving: Connection) -> None:
        with contextlib.suppress(EOFError):
            while True:
                self._heard(receiving.recv())
