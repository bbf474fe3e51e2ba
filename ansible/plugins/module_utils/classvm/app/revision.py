"""The git revision of an app's folder."""

from __future__ import annotations

from pathlib import Path

from ..base import command
from ..base.errors import ClassvmError


def revision(folder: Path) -> str:
    """Return the git revision of a folder, such as "3f2a91c" or "3f2a91c-dirty"; "" outside git.

    Dirty is what has files that are not in that revision, in this folder: what lies beside it
    is no part of the release.
    """
    # A student's status must not leave files of root in the repository.
    git = ("git", "--no-optional-locks", "-C", str(folder))
    try:
        head = command.check([*git, "rev-parse", "--short=7", "HEAD"]).strip()
        changed = command.check([*git, "status", "--porcelain", "--", "."])
    except ClassvmError:
        return ""
    return f"{head}-dirty" if changed else head
