"""Refuse an app's folder that cannot become a release: takes milliseconds."""

from __future__ import annotations

from pathlib import Path

from ..base.errors import ClassvmError
from .layout import DOCKERFILE, LOCK, REQUIREMENTS, SPEC
from .lock import check_lock


def check_folder(folder: Path) -> None:
    """Make sure that an app's folder has the files of the layout, and a current lock.

    Raises:
        ClassvmError: a file is missing, or the lock does not belong to the requirements.

    """
    for name in (DOCKERFILE, SPEC, REQUIREMENTS, LOCK):
        if not (folder / name).is_file():
            raise ClassvmError(
                f"{folder} is not a service: it has no {name}. Compare it with the folder"
                " `service/` of classvm.",
            )
    check_lock(folder)
