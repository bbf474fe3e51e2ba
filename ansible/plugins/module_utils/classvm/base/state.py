"""Files of the host's state folder, which belongs to the docker group."""

from __future__ import annotations

import contextlib
import getpass
import os
import time
from typing import Iterator, TextIO

from .errors import ClassvmError

FILE_MODE, FOLDER_MODE = 0o664, 0o775
# Files whose names begin so are for root and the group alone: settings, some of which are secret; the history and
# the journals of swaps, which quote logs; and the lock, because whoever can open it can hold it.
SECRET, LOCK, HISTORY, JOURNAL = "settings", "lock", "releases.jsonl", "swap-"
PRIVATE, SECRET_MODE = (SECRET, LOCK, HISTORY, JOURNAL), 0o660
# The host's key for digests of settings.
KEY, KEY_BYTES = f"{SECRET}.key", 32
# The group may write what any of its members made.
UMASK = 0o002


def now() -> str:
    """Return the time, UTC, ISO 8601 with milliseconds."""
    seconds = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{stamp}.{int(seconds % 1 * 1000):03d}Z"


def account() -> str:
    """Return the account of the host for which this runs: with sudo, the admin's own."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


def is_private(path: str) -> bool:
    """Tell whether a file of the state folder, or the beginning of one, is closed to other accounts."""
    return os.path.basename(path).startswith(PRIVATE)


def file_mode(path: str) -> int:
    """Return the mode of a file of the state folder."""
    return SECRET_MODE if is_private(path) else FILE_MODE


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


def settings_key(state_dir: str, *, create: bool) -> str:
    """Return the host's random key for digests of settings, "" where there is none yet.

    Raises:
        ClassvmError: the file cannot be read or written.

    """
    path = os.path.join(state_dir, KEY)
    key = read(path)
    if not key and create:
        key = os.urandom(KEY_BYTES).hex()
        write_atomically(path, key)
    return key


def write_atomically(path: str, text: str) -> None:
    """Replace a file in one step, so that a power cut leaves the old text or the new one.

    Raises:
        ClassvmError: the file cannot be written; what was there before still is.

    """
    new = f"{path}.new"
    # What an interrupted write left may belong to another account, and only that one can change it.
    remove(new)
    with _explained(path):
        with open(new, "w", encoding="utf-8", opener=_shared) as file:
            os.fchmod(file.fileno(), file_mode(path))
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
        _sync_folder(os.path.dirname(path))


def make_folder(path: str) -> None:
    """Make a folder in the state folder, where it is absent; the group may write in it.

    Raises:
        ClassvmError: the state folder cannot be written.

    """
    with _explained(path), contextlib.suppress(FileExistsError), _shared_umask():
        os.mkdir(path, FOLDER_MODE)


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
        ClassvmError: this account may not read it, or it is not a file.

    """
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""
    except IsADirectoryError as error:
        raise ClassvmError(
            f"{path} is a folder, where a file belongs. Remove it: `sudo rmdir {path}`."
        ) from error
    except OSError as error:
        raise ClassvmError(
            f"{path} cannot be read ({error.strerror}). `make provision`, as an admin, repairs the"
            " rights of the state folder.",
        ) from error


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
        raise ClassvmError(
            f"{path} cannot be written ({error.strerror})",
            fix=f"`df {path}` and `df -i {path}` show whether there is room.",
        ) from error


def _shared(name: str, flags: int) -> int:
    with _shared_umask():
        return os.open(name, flags, file_mode(name))


@contextlib.contextmanager
def _shared_umask() -> Iterator[None]:
    umask = os.umask(UMASK)
    try:
        yield
    finally:
        os.umask(umask)


def _sync_folder(folder: str) -> None:
    """Write the new name to the disk; syncing the file writes its content only."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
