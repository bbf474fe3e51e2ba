"""Measure how long the service has been running."""

from __future__ import annotations

import time

# A monotonic clock: setting the computer's clock does not change the uptime.
_STARTED = time.monotonic()


def seconds() -> float:
    """Return the seconds since this module was loaded, at the service's start."""
    return round(time.monotonic() - _STARTED, 3)
