"""Files of the host's state folder, which belongs to the docker group."""

from __future__ import annotations

import contextlib
import getpass
import os
import time
from typing import Iterator, TextIO

from .errors import ClassvmError

FILE_MODE = 0o664
# The group may write what any of its members made.
UMASK = 0o002


def now() -> str:
    """Return the time, UTC, ISO 8601 with milliseconds."""
    seconds = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{stamp}.{int(seconds % 1 * 1000):03d}Z"


def account() -> str:
    """Return the account of the host for which this runs: of an admin, not the root of sudo."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


def open_shared(path: str) -> TextIO:
    """Open a file for appending, made where it is absent.

    Raises:
        ClassvmError: the file cannot be written.

    """
    with _explained(path):
        return open(path, "a", encoding="utf-8", opener=_shared)


def append(path: str, text: str) -> None:
    """Append to a file; the text is on the disk at the end.

    Raises:
        ClassvmError: the file cannot be written.

    """
    with _explained(path), open(path, "a", encoding="utf-8", opener=_shared) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def write_atomically(path: str, text: str) -> None:
    """Write a file that is there wholly or not at all, even when the power fails.

    Raises:
        ClassvmError: the file cannot be written; what was there before still is.

    """
    new = f"{path}.new"
    with _explained(path):
        with open(new, "w", encoding="utf-8", opener=_shared) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
        _sync_folder(os.path.dirname(path))


def remove(path: str) -> None:
    """Remove a file, which may be gone already.

    Raises:
        ClassvmError: the folder cannot be written.

    """
    with _explained(path), contextlib.suppress(FileNotFoundError):
        os.remove(path)


def read(path: str) -> str:
    """Return the text of a file, "" where there is none.

    Raises:
        ClassvmError: it is not for this account.

    """
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ClassvmError(f"{path} cannot be read ({error.strerror})") from error


@contextlib.contextmanager
def _explained(path: str) -> Iterator[None]:
    try:
        yield
    except (PermissionError, FileNotFoundError) as error:
        raise ClassvmError(
            f"{path} cannot be written ({error.strerror}). The state folder is made by"
            " `make provision` and belongs to the docker group: run it as an admin.",
        ) from error
    except OSError as error:
        raise ClassvmError(f"{path} cannot be written ({error.strerror})") from error


def _shared(name: str, flags: int) -> int:
    umask = os.umask(UMASK)
    try:
        return os.open(name, flags, FILE_MODE)
    finally:
        os.umask(umask)


def _sync_folder(folder: str) -> None:
    """Have the new name on the disk, too, not only the new file."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
