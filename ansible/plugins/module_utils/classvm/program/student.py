"""What a student may ask who is not root: the verbs of the student's own service, through sudo, within bounds.

The drop-in for sudo that the provision installs allows its group exactly the command lines of `argv`. What comes on
standard input is anybody's, so it is bounded here by what an admin has recorded.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List, Tuple

from ..base import account, command, host, installed
from . import checked, schema
from .protocol import REQUEST, RefusedError

# What stands behind the program's name where it was started for a student.
OPTION = "--student"
JSON = "--json"
# They tell what the account itself may do: through sudo that would be root.
OWN_RIGHT = ("account", "verify-provision")
VERBS: Tuple[str, ...] = tuple(verb for verb in schema.VERBS if verb not in OWN_RIGHT)
# How the service runs, and how long the host's lock is held for it, was decided by the last deploy.
NOT_THEIRS = ("settings", "health_timeout")
SUDO = "/usr/bin/sudo"


def argv(verb: str) -> List[str]:
    """Return the one command line by which a student asks a verb."""
    return [installed.HERE.command, OPTION, verb, JSON]


def is_here() -> bool:
    """Tell whether this account is a student's: it reaches the engine by sudo alone."""
    return account.asks_by_sudo(account.groups())


def become(verb: str) -> None:
    """Go on as the program that sudo starts; it reads the request and prints the answer.

    Raises:
        OSError: there is no sudo.

    """
    os.execv(SUDO, [SUDO, *account.SUDO[1:], *argv(verb)])  # noqa: S606 - fixed words


def ask(verb: str, request: bytes) -> Dict[str, Any]:
    """Return what the program that sudo starts answers to a request."""
    done = command.run([SUDO, *account.SUDO[1:], *argv(verb)], stdin=request)
    if not done.out:
        raise RefusedError(
            REQUEST,
            f"This account may not ask `classvm {verb}`: {done.reason()}",
            fix="Ask your admin to name it in `students` and to run `make provision`.",
        )
    return checked.parse(done.out.encode())


def bounded(state_dir: str, request: Dict[str, Any]) -> Dict[str, Any]:
    """Return a request with what is not a student's to choose taken from the record.

    Args:
        state_dir: folder with the host's state.
        request: a valid one.

    Raises:
        RefusedError: it asks for what is not a student's.

    """
    own = host.choices(state_dir).get("service", "")
    if request.get("service", own) != own:
        raise RefusedError(
            REQUEST,
            f"This host is for the service {own}, and nothing is told of another one",
            fix="Leave service_name as your admin has set it.",
        )
    if request.get("state_dir", state_dir) != state_dir:
        raise RefusedError(
            REQUEST,
            f"The state folder of this host is {state_dir}",
            fix="Leave classvm_state_dir as your admin has set it.",
        )
    return {name: value for name, value in request.items() if name not in NOT_THEIRS}
