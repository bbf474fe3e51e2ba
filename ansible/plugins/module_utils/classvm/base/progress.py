"""Say what is going on, for the person who waits: the newest line, in a small file.

The control node makes up the file's name, hands it over in the environment, and reads the file while the
module works. Without a name nothing is written, and no work fails for what cannot be said.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import time
from typing import Optional

VARIABLE = "CLASSVM_PROGRESS"
# In the state folder, of the host program.
FOLDER = "progress"
LENGTH = 100
# No work takes so long.
OLD_SECONDS = 24 * 3600


class Progress:
    """The file of one run of a module."""

    def __init__(self, path: str) -> None:
        """Make the file; "" makes none."""
        self._file: Optional[int] = None
        if path:
            with contextlib.suppress(OSError):
                self._file = _new_file(path)

    def say(self, text: str) -> None:
        """Write a line in the place of the one before."""
        if self._file is None:
            return
        # Of one length, so that one call replaces the line.
        shown = text.encode("utf-8", errors="replace")[:LENGTH].decode(errors="ignore")
        line = shown.encode().ljust(LENGTH) + b"\n"
        with contextlib.suppress(OSError):
            os.pwrite(self._file, line, 0)


def begin(path: str) -> None:
    """Say from now on what is going on in a new file; remove what killed processes have left beside it."""
    global _progress  # noqa: PLW0603 - a process has one person who waits
    folder = os.path.dirname(path)
    with contextlib.suppress(OSError):
        for old in os.scandir(folder):
            if old.stat(follow_symlinks=False).st_mtime < time.time() - OLD_SECONDS:
                _remove(old.path)
    _progress = Progress(path)


def say(text: str) -> None:
    """Say what is going on, such as "installing nftables"."""
    global _progress  # noqa: PLW0603 - a module has one person who waits
    if _progress is None:
        _progress = Progress(os.environ.get(VARIABLE, ""))
    _progress.say(text)


def silence() -> None:
    """Say nothing any more: the file is the caller's, and nobody waits for this process."""
    global _progress  # noqa: PLW0603 - as above
    _progress = Progress("")


_progress: Optional[Progress] = None


def say_noted(line: str) -> None:
    """Say a line of a program that marks what it does with "I:", as mmdebstrap does."""
    mark, _, text = line.partition(": ")
    if mark == "I" and text:
        say(text.strip().rstrip("."))


def _new_file(path: str) -> int:
    # In a folder where everybody may write: it has to be a new file, and no link.
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    # Root writes for an account that is not root.
    os.fchmod(file, 0o644)
    atexit.register(_remove, path)
    return file


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
