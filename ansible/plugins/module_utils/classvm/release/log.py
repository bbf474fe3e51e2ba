"""The log of the live release, in order of time and without what the kit itself causes."""

from __future__ import annotations

import re
from typing import Iterable, List, Tuple

from ..base import command
from ..base.docker import Docker

# Of so many of the last lines the kit's own are left out; a health check logs a line each ten seconds.
LOOKED_THROUGH = 50_000
# What the kit calls itself when it calls a service, and the health check of the lab's own app.
OWN = re.compile(
    r"classvm-(health|gap|contract)\b"
    r'|"client": "127\.0\.0\.1", .*"target": "[^"]*/health", .*"user_agent": null'
)

# The engine's time stamp of a line, and the line.
Stamped = Tuple[str, str]


def read(docker: Docker, name: str, lines: int, *, everything: bool) -> str:
    """Return the last log lines of a container.

    Args:
        docker: the engine of the host.
        name: of the container.
        lines: how many at most.
        everything: whether health checks and the contract check's calls count, too.

    """
    asked = lines if everything else LOOKED_THROUGH
    shown = stamped(docker.run("logs", "--timestamps", "--tail", str(asked), name))
    return "\n".join(wanted(shown, everything=everything)[-lines:])


def stamped(printed: command.Finished) -> List[Stamped]:
    """Return the lines of both streams in order of time.

    Args:
        printed: what `docker logs --timestamps` printed: a stamp of fixed width and a blank before each line.

    """
    # Only "\n" ends a line of the engine's: what else moves a cursor is the app's own.
    lines = [line.rstrip("\r") for text in (printed.out, printed.err) for line in text.split("\n")]
    return sorted(map(split, filter(None, lines)), key=lambda parts: parts[0])


def split(line: str) -> Stamped:
    """Return the engine's time stamp of a line, and the line without it."""
    stamp, _, text = line.partition(" ")
    return stamp, text


def wanted(lines: Iterable[Stamped], *, everything: bool) -> List[str]:
    """Return lines without their stamps, and without those that the kit itself has caused."""
    return [text for _, text in lines if everything or not OWN.search(text)]
