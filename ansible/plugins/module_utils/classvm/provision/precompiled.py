"""Put beside each module of the host program what this host's Python makes of it.

A program in one file has no other place for it, and compiling all its modules takes half of the time of a
question (measured). A Python that is newer than that compiles them itself: it looks which version made it.
Source: the documentation of Python, zipimport: a compiled module is taken before its source, unless another version made it.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

from ..base import command

# A variable of Python's or a module of the present folder does not count; sets have one order.
ALONE = ("env", "--ignore-environment", "--chdir=/", "PYTHONHASHSEED=0")


def precompiled(program: bytes, path: str) -> bytes:
    """Return a program with its modules compiled; the same program gives the same bytes.

    Args:
        program: a line that names its Python, and a ZIP archive.
        path: where it will lie, for the lines that tell of a defect.

    Raises:
        CommandError: this host's Python cannot compile it.

    """
    head, _, _ = program.partition(b"\n")
    python = head[len(b"#!") :].split()[0].decode()
    with tempfile.TemporaryDirectory(prefix="classvm-") as folder:
        with zipfile.ZipFile(io.BytesIO(program)) as packed:
            packed.extractall(folder)
        command.check(
            [
                *(*ALONE, python, "-s", "-m", "compileall", "-q", "-b", "-d", path),
                # They are never compared with their sources: both are in one file.
                *("--invalidation-mode", "unchecked-hash", folder),
            ]
        )
        return head + b"\n" + _packed(Path(folder))


def _packed(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(filter(Path.is_file, folder.rglob("*"))):
            # Without a time of its own, an entry has that of 1980.
            name = zipfile.ZipInfo(str(file.relative_to(folder)))
            packed.writestr(name, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
