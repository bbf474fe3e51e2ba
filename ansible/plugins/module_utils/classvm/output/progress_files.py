"""What the hosts say of their work while it goes on: a small file for each, on the control node.

A worker of Ansible writes it, and the output, in another process, reads it.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Mapping
from urllib.parse import quote

# The folder of the files; the output of a run makes it, where it shows them.
VARIABLE = "CLASSVM_PROGRESS_FOLDER"
LENGTH = 100


def folder(environment: Mapping[str, str]) -> str:
    """Return the folder of this run, "" where nobody reads along."""
    return environment.get(VARIABLE, "")


def write(folder: str, host: str, text: str) -> None:
    """Replace what a host says."""
    path = _path(folder, host)
    with contextlib.suppress(OSError):
        new = path.with_suffix(".new")
        new.write_text(text, encoding="utf-8", errors="replace")
        os.replace(new, path)


def read(folder: str, host: str) -> str:
    """Return what a host says, as a short line that a terminal can show; "" where it says nothing."""
    try:
        text = _path(folder, host).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    shown = "".join(letter for letter in text.partition("\n")[0] if letter.isprintable())
    return shown.strip()[:LENGTH]


def clear(folder: str, host: str) -> None:
    """Forget what a host has said: its work has ended."""
    with contextlib.suppress(OSError):
        _path(folder, host).unlink()


def _path(folder: str, host: str) -> Path:
    return Path(folder) / f"{quote(host, safe='')}.txt"
