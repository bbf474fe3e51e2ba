"""Ship the contract check to a Python that has nothing else of this project."""

from __future__ import annotations

import base64
import io
import pkgutil
import zipfile
import zlib

# Every module of the package has to be imported by this one, directly or not: Ansible packs for
# a host only what is imported.
from . import command_line

PACKAGE = "contract"
# A folder of the container that can be written to.
FOLDER = "/run/contract"
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
        packed.writestr("__main__.py", MAIN)
        packed.writestr(f"{PACKAGE}/__init__.py", "")
        for name in modules():
            source = pkgutil.get_data(command_line.__package__ or "", f"{name}.py") or b""
            packed.writestr(f"{PACKAGE}/{name}.py", source)
    return buffer.getvalue()


def modules() -> list[str]:
    """Return the names of the modules that the program needs: those of this package."""
    found = pkgutil.iter_modules([command_line.__file__.rpartition("/")[0]])
    return sorted(module.name for module in found if module.name != __name__.rpartition(".")[2])


def program(folder: str = FOLDER) -> str:
    """Return Python source that runs the check: `python3 -c SOURCE --spec FILE --url URL`.

    Args:
        folder: where the source may write the archive.

    """
    text = base64.b85encode(zlib.compress(archive(), 9)).decode()
    return START.format(folder=folder, archive=text).strip()
