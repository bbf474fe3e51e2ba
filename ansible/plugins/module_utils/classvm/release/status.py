"""Tell which release is live on a host, on which port, and whether it is as desired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from ..base.docker import Container, Docker
from ..base.edge import Edge
from ..base.names import container_name
from ..image.service_image import LABEL_RELEASE
from . import drift

ABSENT, STOPPED, UNHEALTHY, DEGRADED, UP = "absent", "stopped", "unhealthy", "degraded", "up"


@dataclass(frozen=True)
class Status:
    """The live release of a host.

    Attributes:
        state: ``UP``; ``DEGRADED`` if it runs otherwise than desired, ``UNHEALTHY`` if its health
            check fails, ``STOPPED``, or ``ABSENT``.
        release: id of the release, or "".
        since: when its container was started, UTC, ISO 8601, or "".
        port: TCP port of the host that leads to it; 0 where none does.
        problems: how it differs from what was desired, a phrase each.

    """

    state: str = ABSENT
    release: str = ""
    since: str = ""
    port: int = 0
    problems: Sequence[str] = ()


def read(docker: Docker, service: str, state_dir: str) -> Status:
    """Return which release is live and how it is.

    Raises:
        ClassvmError: the state folder cannot be read, or the engine does not answer.

    """
    live = docker.container(container_name(service))
    if live is None:
        return Status()
    edge = Edge.load(state_dir)
    problems = drift.problems(docker, edge, live) if live.running else []
    return Status(
        state=_state(live, problems),
        release=live.labels.get(LABEL_RELEASE, ""),
        since=live.started.partition(".")[0],
        port=drift.published_port(edge, live),
        problems=problems,
    )


def _state(live: Container, problems: Sequence[str]) -> str:
    if not live.running:
        return STOPPED
    if live.health == "unhealthy":
        return UNHEALTHY
    return DEGRADED if problems else UP
