"""What the present account may do on a host."""

from __future__ import annotations

import os
import shutil
from typing import Sequence

from . import command

ADMIN_GROUPS = ("sudo", "wheel", "admin")


def privilege(groups: Sequence[str]) -> str:
    """Return how this account can become root: "root", "sudo", "password" or "none".

    Args:
        groups: names of the account's groups.

    """
    if os.geteuid() == 0:
        return "root"
    if shutil.which("sudo") is None:
        return "none"
    if command.run(["sudo", "--non-interactive", "true"]).code == 0:
        return "sudo"
    return "password" if set(groups) & set(ADMIN_GROUPS) else "none"
