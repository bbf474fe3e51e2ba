"""Detect that the control node no longer waits: Ctrl-C there, or a lost connection."""

from __future__ import annotations

import select
import signal
import sys

from .errors import ClassvmError

STANDARD_OUTPUT = 1


def has_gone(descriptor: int = STANDARD_OUTPUT) -> bool:
    """Tell whether nobody reads what this process writes to a descriptor.

    A module writes its result into a pipe, over SSH and on the control node itself. When the process
    at the other end has ended, poll(2) reports it; nothing has to be written first. For a terminal,
    a file, or a descriptor that is not open, the answer is always false.
    """
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def end_orderly() -> None:
    """Let a terminated run undo what it has begun, and remove its files, as an interrupted one does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))


def require_present() -> None:
    """Make sure that the control node still waits for the result.

    Raises:
        ClassvmError: the control node has ended its connection.

    """
    if has_gone():
        raise ClassvmError(
            "Interrupted: the control node has ended its connection, so the swap did not begin."
            " The live release was not touched; `make deploy` tries again.",
        )
