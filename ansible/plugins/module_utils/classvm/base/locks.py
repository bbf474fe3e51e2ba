"""A lock, so that one change at a time happens to the releases of a host."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import Iterator, TextIO

from . import held_locks, progress, state
from .errors import ClassvmError

SECONDS = 120
POLL_SECONDS = 0.1


@contextlib.contextmanager
def held(state_dir: str, name: str = state.LOCK) -> Iterator[TextIO]:
    """Hold a lock of the host; the kernel frees it when this process, and what has it open, has ended.

    Args:
        state_dir: folder with the host's state.
        name: of the lock's file.

    Yields:
        The open file. A process that inherits it holds the lock, too, until that process ends.

    Raises:
        ClassvmError: another process did not free it in time; the text names that process, its
            account, and since when it holds the lock.

    """
    path = os.path.join(state_dir, name)
    with state.open_shared(path) as lock:
        deadline = time.monotonic() + SECONDS
        while not _try(lock.fileno(), fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise ClassvmError(
                    f"Another deploy holds this host: {state.read(path).strip()}."
                    f" Waited {SECONDS:g} s for it; run again when it has ended.",
                )
            progress.say(f"waiting for another deploy: {state.read(path).strip()}")
            time.sleep(POLL_SECONDS)
        sign(lock)
        with held_locks.noted(lock.fileno()):
            yield lock


def sign(lock: TextIO) -> None:
    """Write into the file of the lock who holds it: this process."""
    lock.truncate(0)
    lock.write(f"process {os.getpid()} of {state.account()}, since {state.now()}\n")
    lock.flush()


def is_held(state_dir: str) -> bool:
    """Tell whether a process is at work on the releases of a host."""
    try:
        with open(os.path.join(state_dir, state.LOCK), encoding="utf-8") as lock:
            return not _try(lock.fileno(), fcntl.LOCK_SH)
    except FileNotFoundError:
        return False


def waiting(path: str) -> str:
    """Return a command of a shell that waits until nobody holds a lock, as the tests and the bench do."""
    return f"test ! -e {path} || flock --shared --timeout {SECONDS} {path} true"


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
