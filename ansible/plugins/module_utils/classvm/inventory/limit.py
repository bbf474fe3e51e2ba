"""What to say of a LIMIT that names hosts or groups which the inventory has not."""

from __future__ import annotations

import difflib
from typing import Collection, List, Sequence

LIKE = 0.7
MOST = 8
# A group that Ansible makes, and nobody asks for.
UNASKED = {"ungrouped"}
# What the inventory of this machine has.
HERE = {"all", "localhost"}


def missing(names: Sequence[str], known: Collection[str]) -> str:
    """Return the closing line where names are missing.

    Args:
        names: those that were asked for.
        known: hosts and groups of the inventory.

    """
    like = [found for name in names for found in _nearest(name, {*known} - UNASKED)]
    if {*known} - UNASKED <= HERE:
        meant = " This is the inventory of this machine: name yours with INVENTORY=FILE"
    elif like:
        meant = f" Did you mean LIMIT={','.join(dict.fromkeys(like))}?"
    else:
        meant = f" Take LIMIT from these: {listed(known)}"
    return f"the inventory has no host or group {', '.join(names)}, so nothing was done.{meant}"


def empty(limit: str, known: Collection[str]) -> str:
    """Return the closing line where a limit leaves no host, though each of its names is known."""
    return f"no host of the inventory is left by LIMIT={limit}, so nothing was done. Take it from these: {listed(known)}"


def listed(known: Collection[str]) -> str:
    """Return names, as many as a line takes."""
    names = sorted({*known} - UNASKED)
    more = len(names) - MOST
    return ", ".join(names[:MOST]) + (f" and {more} more" if more > 0 else "")


def _nearest(name: str, known: Collection[str]) -> List[str]:
    """Return the name that is meant, if there is one: most often it lacks its domain."""
    longer = [one for one in known if one.startswith(f"{name}.")]
    return longer[:1] or difflib.get_close_matches(name, sorted(known), 1, LIKE)
