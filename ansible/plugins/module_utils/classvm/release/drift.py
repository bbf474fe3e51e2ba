"""Find how the live release differs from what was desired, as engine, edge and port report it."""

from __future__ import annotations

from typing import List

from ..base.docker import Container, Docker
from ..base.edge import Edge, slot_of
from . import health, keep, limits
from .difference import HOST_PORT, settings_of
from .release_spec import ALWAYS


def problems(docker: Docker, edge: Edge, live: Container) -> List[str]:
    """Return why a live container that runs is not as desired, a phrase each; [] when it is.

    What was desired stands in the container's own label, so whoever asks need not know it.

    Args:
        docker: the engine of the host.
        edge: what stands before the releases of the host.
        live: the live container.

    """
    reported = live.host_config
    desired = settings_of(live)
    found = [*limits.differences(desired, reported), *keep.differences(desired, reported)]
    policy = live.restart_policy or ALWAYS
    if policy != ALWAYS:
        found.append(f"its restart policy is {policy!r}, not {ALWAYS!r}")
    driver, default = reported.get("LogConfig", {}).get("Type"), docker.log_driver()
    if driver != default:
        found.append(f"its log driver is {driver!r}, not the engine's {default!r}")
    return [*found, *filter(None, [unreachable(edge, live)])]


def unreachable(edge: Edge, live: Container) -> str:
    """Return why the live container cannot be reached on the host's port, or ""."""
    if not live.networks:
        return "it is attached to no network"
    slot = slot_of(live)
    desired = edge.slots.get(slot, 0) if slot else int(settings_of(live).get(HOST_PORT, 0))
    if desired and desired not in health.published(live):
        return f"port {desired} is not published"
    problem = edge.problem_of(live)
    port = edge.port if slot else desired
    if not problem and port and not health.answers_in_time(port):
        problem = f"nothing answers on port {port}"
    return problem


def published_port(edge: Edge, live: Container) -> int:
    """Return the port of the host that leads to the live container, 0 where none does."""
    if slot_of(live):
        return edge.port
    return next(iter(health.published(live)), 0)
