"""Where something stands, as it is typed and clicked."""

from __future__ import annotations

import os


def shown(path: str, line: int = 0) -> str:
    """Return a path, as short as it can be written in the present folder, with a line where there is one."""
    short = min(os.path.relpath(path), path, key=len)
    return f"{short}:{line}" if line else short
