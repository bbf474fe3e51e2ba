"""Detect that the control node no longer waits: Ctrl-C there, a lost connection, a killed process."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
from typing import List, NoReturn, Optional, Tuple

from .errors import ClassvmError

STANDARD_OUTPUT = 1
LOOK_SECONDS = 0.5
TERMINATED = "Interrupted: the run was terminated"
GONE = (
    "Interrupted: the control node has ended its connection, so the swap did not begin."
    " The live release was not touched; `make deploy` tries again."
)
# It may run a program in a session of its own; the one of its caller counts.
SUDO = "sudo"


def has_gone(descriptor: int = STANDARD_OUTPUT) -> bool:
    """Tell whether nobody reads what this process writes to a descriptor.

    A module writes its result into a pipe, over SSH and on the control node itself. When the process
    at the other end has ended, poll(2) reports it; nothing has to be written first. For a terminal,
    a file, or a descriptor that is not open, the answer is always false.
    """
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def waiting() -> List[int]:
    """Return the processes of this machine that wait for this one, from this one upwards.

    The last one is the parent of the process that began the session: over SSH, the server's process for
    the connection; on the control node itself, Ansible. When one of them ends, nobody waits. What
    stands above, such as the shell of a person who has logged out, does not matter.
    """
    found = [os.getpid()]
    session = os.getsid(0)
    while found[-1] > 1:
        here = found[-1]
        parent, name = _parent_and_name(here)
        found.append(parent)
        if here == session:
            if name != SUDO:
                break
            session = _session(parent)
    return found


def _parent_and_name(process: int) -> Tuple[int, str]:
    """Return the number of a process's parent, 0 where the process has ended, and its name."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as file:
            name, _, rest = file.read().partition("(")[2].rpartition(")")
    except OSError:
        return 0, ""
    return int(rest.split()[1]), name


def _session(process: int) -> int:
    with contextlib.suppress(OSError):
        return os.getsid(process)
    return 0


class Watch:
    """Ends this process when nobody waits for it any more."""

    def __init__(self) -> None:
        """Watch nothing yet."""
        self._ended = threading.Event()
        self._thread: Optional[threading.Thread] = None

    def begin(self) -> None:
        """Watch from now on."""
        self._thread = threading.Thread(target=self._look, args=(waiting(),), daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Leave the process alone from now on; what watched it is gone."""
        self._ended.set()
        if self._thread:
            self._thread.join()

    def _look(self, before: List[int]) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            if has_gone() or waiting() != before:
                os.kill(os.getpid(), signal.SIGTERM)
                return


_watch = Watch()


def end_orderly() -> None:
    """Let a terminated run undo what it has begun, and remove its files, as an interrupted one does.

    A run for which nobody waits any more is terminated, until `require_present`.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    _watch.begin()


def _end(*_: object) -> NoReturn:
    # The program that it waits for is killed on the way out.
    sys.exit(GONE if has_gone() else TERMINATED)


def require_present() -> None:
    """Make sure that the control node still waits for the result; from here on, the run goes to its end.

    Raises:
        ClassvmError: the control node has ended its connection.

    """
    _watch.end()
    if has_gone():
        raise ClassvmError(GONE)
