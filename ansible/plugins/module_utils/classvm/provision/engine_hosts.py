"""Where the engine listens: alone, and where the kit asks it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Mapping

from ..base import command
from ..base.docker import SOCKET
from ..base.errors import ClassvmError

# The engine's socket, as it may be written; systemd hands it over as fd://.
OURS = (f"unix://{SOCKET}", f"unix://{SOCKET.replace('/var/run', '/run')}")
FROM_SYSTEMD = "fd://"
# Where a snap that is not disabled is mounted. Its engine has the same socket, and folders and
# settings of its own.
SNAP = Path("/snap/docker/current")


def has_snap() -> bool:
    """Tell whether Docker is here as a snap."""
    return SNAP.exists()


def require_no_snap() -> None:
    """Make sure that Docker is not here as a snap.

    Raises:
        ClassvmError: it is.

    """
    if has_snap():
        raise ClassvmError(
            f"Docker is here as a snap, whose engine listens at {SOCKET}, too: no other can run"
            " beside it",
            fix="`sudo snap remove docker` removes it with its containers, `sudo snap disable"
            " docker` keeps them; then run the command again.",
        )


def require_ours(path: object, settings: Mapping[str, Any], *, systemd: bool) -> None:
    """Make sure that the engine starts with its `hosts`, and listens where the kit asks it.

    Args:
        path: the file with the settings, for the message.
        settings: those that it will have.
        systemd: whether systemd starts the engine.

    Raises:
        ClassvmError: it does not start, because its unit has `--host`, too, or listens elsewhere.

    """
    if "hosts" not in settings:
        return
    if systemd and _unit_has_hosts():
        raise ClassvmError(
            "The engine cannot start: both its settings (`hosts`) and its unit (`-H`) say where it"
            " listens",
            place=str(path),
            fix="Remove `hosts` from the file, or give docker.service an ExecStart without -H"
            " (`sudo systemctl edit docker`), then run the command again.",
        )
    known = (*OURS, FROM_SYSTEMD) if systemd else OURS
    if not set(known) & {str(one) for one in settings["hosts"] or ()}:
        raise ClassvmError(
            f"The engine would not listen at {SOCKET}, where classvm asks it",
            place=str(path),
            fix=f'Add "{OURS[0]}" to `hosts` in the file, then run the command again.',
        )


def _unit_has_hosts() -> bool:
    shown = command.run(["systemctl", "show", "--property", "ExecStart", "docker.service"]).out
    return bool(re.search(r"\s(-H|--host)[\s=]", shown))
