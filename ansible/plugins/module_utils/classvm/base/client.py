"""Notice that whoever started this work has gone: Ctrl-C at the control node, a lost connection."""

from __future__ import annotations

import select

from .errors import ClassvmError

STANDARD_OUTPUT = 1


def has_gone(descriptor: int = STANDARD_OUTPUT) -> bool:
    """Tell whether the reader of what this process writes to a descriptor has ended.

    Over SSH and locally alike, a module writes its result into a pipe. When the other end ends, the
    kernel says so at once; nothing has to be written to find out. A terminal, a file and a
    descriptor that is not open never say so.
    """
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def require_present() -> None:
    """Make sure that somebody still waits for the result.

    Raises:
        ClassvmError: the control node has ended its connection.

    """
    if has_gone():
        raise ClassvmError(
            "Interrupted: the control node has ended its connection, so the swap did not begin."
            " The live release was not touched; `make deploy` tries again.",
        )
