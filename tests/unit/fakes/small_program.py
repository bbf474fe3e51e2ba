"""Programs like the host program, small and for the Python of the tests."""

from __future__ import annotations

import io
import sys
import zipfile

OWN_PYTHON = b"#!" + sys.executable.encode() + b" -I\n"


def program_of(**modules: str) -> bytes:
    """Return a program of these modules; it begins with `__main__`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, text in modules.items():
            packed.writestr(f"{name}.py", text)
    return OWN_PYTHON + buffer.getvalue()
