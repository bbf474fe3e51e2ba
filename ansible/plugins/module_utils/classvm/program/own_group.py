"""A control group that belongs to root, for what works as root and was started by another account.

A process begins in the group of the one that has started it, and sudo does not change that. An account has groups of
its own, below that of its systemd. It may freeze whatever is in them, kill it, or take its memory and its processor,
whoever the process belongs to.
Source: the kernel's admin-guide, cgroup-v2.rst, "Delegation"
"""

from __future__ import annotations

import contextlib
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
# Beside the groups of systemd, which leaves alone what it has not made.
NAME = "classvm-students"
# In the second place where the kernel has groups of version 1, too; accounts have none of those.
PLACES = (".", "unified")
ITSELF = "0"


def enter(root: Path = ROOT) -> None:
    """Go into the group, as far as this host has one and this process may."""
    for place in PLACES:
        hierarchy = root / place
        if not (hierarchy / "cgroup.controllers").exists():
            continue
        with contextlib.suppress(OSError):
            (hierarchy / NAME).mkdir(exist_ok=True)
            (hierarchy / NAME / "cgroup.procs").write_text(ITSELF)
