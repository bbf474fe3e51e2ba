"""Whether an app is served: one at a time, and one in the life of a container."""

from __future__ import annotations

import threading

_started = threading.Lock()
_stopped = threading.Event()


def start() -> bool:
    """Note that an app will be served; False if there was one before."""
    return _started.acquire(blocking=False)


def stop() -> None:
    """Note that it is no longer served."""
    _stopped.set()


def has_started() -> bool:
    """Tell whether an app is or was served."""
    return _started.locked()


def is_on() -> bool:
    """Tell whether an app is served."""
    return _started.locked() and not _stopped.is_set()
