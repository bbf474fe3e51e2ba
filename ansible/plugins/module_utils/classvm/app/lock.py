"""The lock of an app's packages, sealed so that an edit by hand is noticed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..base.errors import ClassvmError
from .layout import DOCKERFILE, LOCK, REQUIREMENTS, SPEC

LOCK_SEAL = "# sealed by `make lock`: sha256:"


def seal(requirements: str, lock: str) -> str:
    """Return the line that ties a lock to the requirements from which it was compiled."""
    return LOCK_SEAL + hashlib.sha256((requirements + lock).encode()).hexdigest()


def is_sealed(folder: Path) -> bool:
    """Tell whether an app's folder is in classvm's own layout, with a lock that `make lock` wrote."""
    if not all((folder / name).is_file() for name in (DOCKERFILE, SPEC, REQUIREMENTS, LOCK)):
        return False
    with open(folder / LOCK, "rb") as lock:
        return lock.read(len(LOCK_SEAL)) == LOCK_SEAL.encode()


def check_lock(folder: Path) -> None:
    """Make sure that the lock is as `make lock` wrote it, from the present requirements.in.

    Raises:
        ClassvmError: one of the two files was edited since.

    """
    requirements = (folder / REQUIREMENTS).read_text(encoding="utf-8")
    first, _, lock = (folder / LOCK).read_text(encoding="utf-8").partition("\n")
    if not first.startswith(LOCK_SEAL):
        raise ClassvmError(
            f"{folder / LOCK} was not made by `make lock`",
            fix="Run `make lock`, then `make deploy`.",
        )
    if first != seal(requirements, lock):
        raise ClassvmError(
            f"{folder / LOCK} does not match {REQUIREMENTS}: one of them was edited by hand",
            fix=f"Write the packages that you need into {REQUIREMENTS}, then run `make lock`.",
        )
