"""A folder for temporary files in which programs may run, such as those of a new system."""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import Iterator

from .errors import ClassvmError

# Tried where the usual folder for temporary files does not allow programs.
MORE_PLACES = ("/var/tmp", "/var/lib")  # noqa: S108 - the folder made there has a name of its own
FORBIDDING = os.ST_NOEXEC | os.ST_NODEV


@contextlib.contextmanager
def folder(prefix: str) -> Iterator[str]:
    """Make a folder that every account may enter, because apt checks signatures as one of its own.

    Raises:
        ClassvmError: programs may run nowhere.

    """
    with tempfile.TemporaryDirectory(prefix=prefix, dir=place()) as path:
        os.chmod(path, 0o755)  # noqa: S103 - see above
        yield path


def place() -> str:
    """Return where programs may run and devices may be made.

    Raises:
        ClassvmError: nowhere.

    """
    places = (tempfile.gettempdir(), *MORE_PLACES)
    for path in places:
        if os.path.isdir(path) and not os.statvfs(path).f_flag & FORBIDDING:
            return path
    raise ClassvmError(
        f"No folder for temporary files allows programs: {', '.join(places)} are mounted with noexec"
        " or nodev",
        fix="`sudo mount -o remount,exec,dev /var/tmp` allows them until the next boot.",
    )
