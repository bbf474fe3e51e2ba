"""The log of a run: all that Ansible would have printed, in a file of its own."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Optional

LIMIT_BYTES = 1_000_000
KEPT_LOGS = 10
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class RunLog:
    """Writes the log, as long as that is possible: a run does not fail for its log."""

    def __init__(self, folder: str, name: str) -> None:
        """Make the file, and remove the oldest ones.

        Args:
            folder: of the logs; "" writes none.
            name: of the playbook.

        """
        self.path: Optional[Path] = None
        if not folder:
            return
        try:
            self.path = _new_file(Path(folder), name)
        except OSError:
            # A clone of somebody else's, or a full disk.
            self.path = None

    def write(self, text: str) -> None:
        """Add text, without its colours; of a log that is too long, the newer half stays."""
        if self.path is None:
            return
        try:
            with self.path.open("a", encoding="utf-8", errors="replace") as file:
                file.write(COLOURS.sub("", text) + "\n")
                size = file.tell()
            if size > LIMIT_BYTES:
                _halve(self.path)
        except OSError:
            self.path = None


def _new_file(folder: Path, name: str) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stamp = time.strftime("%Y-%m-%dT%H-%M-%S")
    path = folder / f"{stamp}-{name}-{os.getpid()}.log"
    # Results may hold what is nobody else's business.
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    for old in sorted(folder.glob("*.log"))[:-KEPT_LOGS]:
        old.unlink()
    return path


def _halve(path: Path) -> None:
    kept = path.read_bytes()[-LIMIT_BYTES // 2 :]
    path.write_bytes(
        b"[... the older lines of this log were left out]\n" + kept.partition(b"\n")[2]
    )
