"""Look up which version of a package is installed."""

from __future__ import annotations

import sys
from functools import lru_cache

if sys.version_info >= (3, 8):
    from importlib.metadata import PackageNotFoundError, version
else:
    from importlib_metadata import PackageNotFoundError, version


@lru_cache(maxsize=None)
def of(package: str) -> str | None:
    """Return the installed version of ``package``, or None without it; remembered."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
