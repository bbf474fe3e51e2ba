"""Install the host program, and record what it works on; or remove it."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from typing import Any, List, Mapping

from ..base import host, installed, state
from ..base.errors import ClassvmError
from ..base.installed import HERE, Files

PROGRAM_MODE, FOLDER_MODE = 0o755, 0o755


@dataclass(frozen=True)
class Desired:
    """What shall be on a host.

    Attributes:
        content: the program.
        state_dir: folder with the host's state.
        choices: what the provision has chosen for this host, for `host.choices`.

    """

    content: bytes
    state_dir: str
    choices: Mapping[str, Any]


def missing(desired: Desired, files: Files = HERE) -> List[str]:
    """Return which files are not as desired."""
    found = [] if _is_installed(files.program, desired.content) else [files.program]
    for link, target in _links(files, desired.state_dir):
        if not os.path.islink(link) or os.readlink(link) != target:
            found.append(link)
    if host.choices(desired.state_dir) != desired.choices:
        found.append(os.path.join(desired.state_dir, host.CHOICES))
    return found


def install(desired: Desired, files: Files = HERE) -> None:
    """Put everything in its place, each in one step: a program that runs meanwhile is not torn.

    Raises:
        ClassvmError: a file cannot be written.

    """
    try:
        os.makedirs(os.path.dirname(files.program), FOLDER_MODE, exist_ok=True)
        new = f"{files.program}.new"
        _remove(new)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PROGRAM_MODE), "wb") as file:
            os.fchmod(file.fileno(), PROGRAM_MODE)
            file.write(desired.content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, files.program)
        for link, target in _links(files, desired.state_dir):
            os.makedirs(os.path.dirname(link), FOLDER_MODE, exist_ok=True)
            _remove(f"{link}.new")
            os.symlink(target, f"{link}.new")
            os.replace(f"{link}.new", link)
    except OSError as error:
        raise ClassvmError(
            f"{error.filename} cannot be written ({error.strerror})",
            fix="Look at what is there, then run `make provision` again.",
        ) from error
    text = json.dumps(desired.choices, sort_keys=True) + "\n"
    state.write_atomically(os.path.join(desired.state_dir, host.CHOICES), text)


def present(files: Files = HERE) -> List[str]:
    """Return the files of the host program that are here."""
    return [path for path in installed.watched(files) if os.path.lexists(path)]


def remove(files: Files = HERE) -> None:
    """Remove the host program; the state folder stays."""
    for path in installed.watched(files):
        _remove(path)
    with contextlib.suppress(OSError):  # somebody has put something else there
        os.rmdir(os.path.dirname(files.program))


def _links(files: Files, state_dir: str) -> List[List[str]]:
    return [[files.command, files.program], [files.state, state_dir]]


def _is_installed(path: str, content: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            return status.st_mode & 0o7777 == PROGRAM_MODE and file.read() == content
    except OSError:
        return False


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.remove(path)
