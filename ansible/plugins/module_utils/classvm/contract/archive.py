"""Ship the contract check to a Python that has nothing else of this project."""

from __future__ import annotations

import base64
import io
import zipfile
import zlib
from pathlib import Path

HERE = Path(__file__)
PACKAGE = "contract"
MAIN = f"import sys\nfrom {PACKAGE}.command_line import main\nsys.exit(main())\n"
# Python imports an archive from a file only, not from memory.
START = """
import base64, runpy, zlib
with open("{folder}/contract.pyz", "wb") as file:
    file.write(zlib.decompress(base64.b85decode("{archive}")))
runpy.run_path("{folder}/contract.pyz", run_name="__main__")
"""


def archive() -> bytes:
    """Return the package as a zip archive that Python runs: `python3 contract.pyz --spec …`."""
    buffer = io.BytesIO()
    # Not compressed file by file: all of it together becomes much smaller.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as packed:
        _add(packed, "__main__.py", MAIN.encode())
        _add(packed, f"{PACKAGE}/__init__.py", b"")
        for name in modules():
            _add(packed, f"{PACKAGE}/{name}.py", HERE.with_name(f"{name}.py").read_bytes())
    return buffer.getvalue()


def _add(packed: zipfile.ZipFile, name: str, content: bytes) -> None:
    # Without a time of its own, an entry has that of 1980: the same tree gives the same bytes.
    packed.writestr(zipfile.ZipInfo(name), content)


def modules() -> list[str]:
    """Return the names of the modules that the program needs: those of this package."""
    found = {path.stem for path in HERE.parent.glob("*.py")}
    return sorted(found - {HERE.stem, "__init__"})


def program(folder: str, packed: bytes = b"") -> str:
    """Return Python source that runs the check: `python3 -c SOURCE --spec FILE --url URL`.

    Args:
        folder: an empty folder, in which the source writes the archive.
        packed: what `archive` returns, where that was packed before.

    """
    text = base64.b85encode(zlib.compress(packed or archive(), 9)).decode()
    return START.format(folder=folder, archive=text).strip()
