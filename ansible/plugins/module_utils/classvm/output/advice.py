"""The commands that a message advises, for the hosts of this run.

Without its INVENTORY, a command that is pasted as it is printed would act on the machine of its reader.
"""

from __future__ import annotations

import re
import shlex
from typing import Mapping

# What make was given, by the variable of the environment in which make hands it on.
GIVEN = {"INVENTORY": "CLASSVM_INVENTORY", "LIMIT": "CLASSVM_LIMIT"}
ON_HOSTS = "deploy|provision|release|status|logs|releases|rollback|start|restart|stop|maintenance|reset|verify|doctor"
COMMAND = re.compile(rf"`make ({ON_HOSTS})\b([^`\n]*)`")


def completed(text: str, environment: Mapping[str, str]) -> str:
    """Return a message in which each command of make has the inventory and the limit of this run.

    Args:
        text: the message; its commands stand between backticks.
        environment: of this process.

    """
    values = {name: environment.get(variable, "") for name, variable in GIVEN.items()}
    given = " ".join(f"{name}={shlex.quote(value)}" for name, value in values.items() if value)
    if not given:
        return text
    return COMMAND.sub(
        lambda found: (
            found[0]
            if any(f" {name}=" in found[2] for name in GIVEN)
            else f"{found[0][:-1]} {given}`"
        ),
        text,
    )


def for_host(text: str, environment: Mapping[str, str], host: str) -> str:
    """Return a message as `completed` does, with commands for one host of the run alone."""
    return completed(text, {**environment, GIVEN["LIMIT"]: host})
