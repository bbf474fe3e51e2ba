"""Tell which release is live on a host, on which port, and whether it is as desired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Sequence

from ..base.docker import Container, Docker
from ..base.edge import ON, Edge, slot_of
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
        since: when its container was started, ISO 8601 with the zone, or "".
        port: TCP port of the host that leads to it; 0 where none does.
        problems: how it differs from what was desired, a phrase each.
        remarks: what else a person has to know of it, a phrase each.

    """

    state: str = ABSENT
    release: str = ""
    since: str = ""
    port: int = 0
    problems: Sequence[str] = ()
    remarks: Sequence[str] = ()


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
        since=_with_zone(live.started),
        port=drift.published_port(edge, live),
        problems=problems,
        remarks=_remarks(edge, live),
    )


def _with_zone(started: str) -> str:
    """Return the engine's time in seconds: "2020-01-02T03:04:05.678Z" is "2020-01-02T03:04:05Z"."""
    return f"{started.partition('.')[0].rstrip('Z')}Z" if started else ""


def _remarks(edge: Edge, live: Container) -> List[str]:
    found = []
    if slot_of(live) and edge.read()["maintenance"] == ON:
        found.append("maintenance is on, which `make maintenance off` ends")
    if live.restarts:
        found.append(
            f"it ended and was started again {live.restarts} times, `make logs` may tell why"
        )
    return found


def _state(live: Container, problems: Sequence[str]) -> str:
    if not live.running:
        return STOPPED
    if live.health == "unhealthy":
        return UNHEALTHY
    return DEGRADED if problems else UP
