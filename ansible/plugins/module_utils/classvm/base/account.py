"""What the present account may do on a host."""

from __future__ import annotations

import os
import shutil
from typing import Optional, Sequence, Tuple

from . import command

ADMIN_GROUPS = ("sudo", "wheel", "admin")
SUDO = ("sudo", "--non-interactive")


def privilege(groups: Sequence[str]) -> str:
    """Return how this account can become root: "root", "sudo", "password" or "none".

    Args:
        groups: names of the account's groups.

    """
    if os.geteuid() == 0:
        return "root"
    if shutil.which("sudo") is None:
        return "none"
    if command.run([*SUDO, "true"]).code == 0:
        return "sudo"
    return "password" if set(groups) & set(ADMIN_GROUPS) else "none"


def root_argv(privilege: str) -> Optional[Tuple[str, ...]]:
    """Return the words that make a command root's, or None where this account cannot be root.

    Args:
        privilege: as ``privilege`` returns it. An account that has to type a password cannot.

    """
    return {"root": (), "sudo": SUDO}.get(privilege)
