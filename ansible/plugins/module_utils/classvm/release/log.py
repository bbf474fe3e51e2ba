"""The log of the live release, in order of time and without what the kit itself causes."""

from __future__ import annotations

import re
from typing import List

from ..base import command
from ..base.docker import Docker

# Of so many of the last lines the kit's own are left out; a health check logs a line each ten seconds.
LOOKED_THROUGH = 50_000
# What the kit calls itself when it calls a service, and the health check of the lab's own app.
OWN = re.compile(
    r"classvm-(health|gap|contract)\b"
    r'|"client": "127\.0\.0\.1", .*"target": "[^"]*/health", .*"user_agent": null'
)


def read(docker: Docker, name: str, lines: int, *, everything: bool) -> str:
    """Return the last log lines of a container.

    Args:
        docker: the engine of the host.
        name: of the container.
        lines: how many at most.
        everything: whether health checks and the contract check's calls count, too.

    """
    asked = lines if everything else LOOKED_THROUGH
    shown = in_order(docker.run("logs", "--timestamps", "--tail", str(asked), name))
    kept = [line for line in shown if everything or not OWN.search(line)]
    return "\n".join(kept[-lines:])


def in_order(printed: command.Finished) -> List[str]:
    """Return the lines of both streams in order of time, without the engine's time stamps.

    Args:
        printed: what `docker logs --timestamps` printed: a stamp of fixed width and a blank before each line.

    """
    stamped = [
        line.partition(" ") for line in [*printed.out.splitlines(), *printed.err.splitlines()]
    ]
    return [line for _, _, line in sorted(stamped, key=lambda parts: parts[0])]
