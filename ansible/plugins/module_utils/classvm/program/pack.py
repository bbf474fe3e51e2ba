"""Pack the host program into one file that Python runs. The control node does this.

Which modules it needs is computed: what the command line imports, directly or not. The same tree gives the
same bytes, whoever packs it, and whenever.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Dict

from ..base import imports
from ..contract import archive
from .resource import CHECKER

# Isolated: neither variables of Python nor modules of the present folder count.
SHEBANG = b"#!/usr/bin/python3 -I\n"
HERE = Path(__file__).resolve()
PACKAGE = HERE.parents[1]
ENTRY = HERE.with_name("command_line.py")
MAIN = f"import sys\nfrom {PACKAGE.name}.program.command_line import main\nsys.exit(main())\n"


def program() -> bytes:
    """Return the host program."""
    buffer = io.BytesIO(SHEBANG)
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as packed:
        for name, content in sorted(contents().items()):
            # Without a time of its own, an entry has that of 1980.
            packed.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def contents() -> Dict[str, bytes]:
    """Return what the program holds, by its path inside."""
    modules = imports.closure(ENTRY)
    return {
        "__main__.py": MAIN.encode(),
        f"{PACKAGE.name}/program/{CHECKER}": archive.archive(),
        **{str(path.relative_to(PACKAGE.parent)): path.read_bytes() for path in modules},
    }


def digest() -> str:
    """Return the digest (sha256, hex) of what the program holds; to compress it would take longer."""
    found = hashlib.sha256()
    for name, content in sorted(contents().items()):
        found.update(f"{name}\0{len(content)}\0".encode() + content)
    return found.hexdigest()
