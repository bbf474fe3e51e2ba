"""Work in a process of its own that sends reports to this one.

Measurements must not wait for this process: starting a program, for example, blocks all of its
threads. Nor must they wait for a processor: the VMs share those of this machine, and their load
makes other programs wait for more than a second at times (measured). Real clients have their own.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

T = TypeVar("T")

# A fork, so that the work may refer to any object.
CONTEXT = multiprocessing.get_context("fork")


class BackgroundProcess:
    """A process that does some work, from `start` until the work or `stop` ends it."""

    def __init__(
        self, work: Callable[[Callable[[Any], None]], None], receive: Callable[[Any], None]
    ) -> None:
        """Prepare the work.

        Args:
            work: called in the other process with a function that sends a report to this one.
            receive: called here, in a thread, with each report.

        """
        self._work = work
        self._receive = receive

    def start(self) -> None:
        """Start the process."""
        receiving, sending = CONTEXT.Pipe(duplex=False)
        self._process = CONTEXT.Process(
            target=first_in_line, args=(self._work, sending.send), daemon=True
        )
        self._process.start()
        # Now only the other process holds the sending end: when it ends, so does `_listen`.
        sending.close()
        self._thread = threading.Thread(target=self._listen, args=(receiving,), daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether the process runs."""
        return self._process.is_alive()

    def join(self, seconds: float) -> None:
        """Wait until the process has ended and all reports were received; then end it."""
        self._process.join(seconds)
        self.stop()

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()
        self._thread.join()

    def _listen(self, receiving: Connection) -> None:
        with contextlib.suppress(EOFError):
            while True:
                self._receive(receiving.recv())


def first_in_line(work: Callable[[T], None], argument: T) -> None:
    """Do some work before everything else of this machine, where the account may do that."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    work(argument)
