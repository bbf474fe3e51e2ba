"""A lock, so that one change at a time happens to the releases of a host."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import Iterator

from . import progress, state
from .errors import ClassvmError

FILE = "lock"
SECONDS = 120
POLL_SECONDS = 0.1


@contextlib.contextmanager
def held(state_dir: str) -> Iterator[None]:
    """Hold the host's lock; the kernel frees the lock of a dead process.

    Raises:
        ClassvmError: another process did not free it in time; the text names that process, its
            account, and since when it holds the lock.

    """
    path = os.path.join(state_dir, FILE)
    with state.open_shared(path) as lock:
        deadline = time.monotonic() + SECONDS
        while not _try(lock.fileno()):
            if time.monotonic() > deadline:
                raise ClassvmError(
                    f"Another deploy holds this host: {state.read(path).strip()}."
                    f" Waited {SECONDS:g} s for it; run again when it has ended.",
                )
            progress.say(f"waiting for another deploy: {state.read(path).strip()}")
            time.sleep(POLL_SECONDS)
        lock.truncate(0)
        lock.write(f"process {os.getpid()} of {state.account()}, since {state.now()}\n")
        lock.flush()
        yield


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
