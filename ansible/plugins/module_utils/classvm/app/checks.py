"""Refuse an app's folder that cannot become a release: takes milliseconds."""

from __future__ import annotations

from pathlib import Path

from ..base.errors import ClassvmError
from .layout import DOCKERFILE, LOCK, SPEC, WANTED
from .lock import check_lock


def check_files(folder: Path) -> None:
    """Refuse a folder that is no service, or whose lock is not current: takes milliseconds.

    Raises:
        ClassvmError: a file is missing, or the lock was edited by hand.

    """
    for name in (DOCKERFILE, SPEC, WANTED, LOCK):
        if not (folder / name).is_file():
            raise ClassvmError(
                f"{folder} is not a service: it has no {name}. Compare it with the folder"
                " `service/` of classvm.",
            )
    check_lock(folder)
