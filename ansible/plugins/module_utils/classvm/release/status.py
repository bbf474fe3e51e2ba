"""Tell which release is live on a host, on which port, and whether it is as desired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from ..base.docker import Container, Docker
from ..base.edge import Edge, slot_of
from ..base.names import candidate_name, container_name
from ..image.image_labels import LABEL_RELEASE
from . import drift, finishing, redirect

CUT_OFF = "a swap was cut off, and clients are led to its candidate"
ABSENT, STOPPED, UNHEALTHY, DEGRADED, UP = "absent", "stopped", "unhealthy", "degraded", "up"
# How HAProxy is.
NO_EDGE, EDGE_UP, EDGE_DOWN = "none", "up", "down"


@dataclass(frozen=True)
class Status:
    """The live release of a host.

    Attributes:
        state: ``UP``; ``DEGRADED`` if it runs otherwise than desired, ``UNHEALTHY`` if its health
            check fails, ``STOPPED``, or ``ABSENT``.
        release: id of the release, or "".
        since: when its container was started, ISO 8601 with the zone, or "".
        port: TCP port of the host that leads to it; 0 where none does.
        edge: ``EDGE_UP`` if HAProxy holds the port, ``EDGE_DOWN``, or ``NO_EDGE``.
        maintenance: whether HAProxy answers 503 in its place.
        restarts: how often it has ended and was started again.
        problems: how it differs from what was desired, a phrase each.

    """

    state: str = ABSENT
    release: str = ""
    since: str = ""
    port: int = 0
    edge: str = NO_EDGE
    maintenance: bool = False
    restarts: int = 0
    problems: Sequence[str] = ()

    @property
    def is_running(self) -> bool:
        """Whether its container runs."""
        return self.state not in (ABSENT, STOPPED)


def read(docker: Docker, service: str, state_dir: str) -> Status:
    """Return which release is live and how it is.

    Raises:
        ClassvmError: the state folder cannot be read, or the engine does not answer.

    """
    edge, led_from = Edge.load(state_dir), redirect.led_port(service, state_dir)
    cut_off = [CUT_OFF] if finishing.is_cut_off(service, state_dir) else []
    if led_from is not None:
        candidate = docker.container(candidate_name(service))
        if candidate and candidate.running:
            return _led(candidate, led_from, edge, cut_off)
    live = docker.container(container_name(service))
    if live is None:
        return Status(edge=_edge(edge))
    problems = [*cut_off, *(drift.problems(docker, edge, live) if live.running else [])]
    return Status(
        state=_state(live, problems),
        release=live.labels.get(LABEL_RELEASE, ""),
        since=_with_zone(live.started),
        port=drift.published_port(edge, live),
        edge=_edge(edge),
        maintenance=bool(slot_of(live)) and edge.in_maintenance(),
        restarts=live.restarts,
        problems=problems,
    )


def _led(candidate: Container, port: int, edge: Edge, problems: Sequence[str]) -> Status:
    """Return the status where clients are led to a candidate, in the place of the live release."""
    return Status(
        state=_state(candidate, problems),
        release=candidate.labels.get(LABEL_RELEASE, ""),
        since=_with_zone(candidate.started),
        port=port,
        edge=_edge(edge),
        restarts=candidate.restarts,
        problems=problems,
    )


def _with_zone(started: str) -> str:
    """Return the engine's time in seconds: "2020-01-02T03:04:05.678Z" is "2020-01-02T03:04:05Z"."""
    return f"{started.partition('.')[0].rstrip('Z')}Z" if started else ""


def _edge(edge: Edge) -> str:
    if not edge.slots:
        return NO_EDGE
    return EDGE_UP if edge.holds_port() else EDGE_DOWN


def _state(live: Container, problems: Sequence[str]) -> str:
    if not live.running:
        return STOPPED
    if live.health == "unhealthy":
        return UNHEALTHY
    return DEGRADED if problems else UP
