"""Finish or undo what a run that was cut off left behind; names and the journal tell what it was."""

from __future__ import annotations

import contextlib
from typing import Optional

from ..base import names
from ..base.command import Finished
from ..base.docker import Container, Docker
from ..base.edge import Edge, slot_of
from ..base.errors import ClassvmError
from ..image.service_image import LABEL_RELEASE
from . import health, history
from .release_spec import LABEL_SETTINGS


def recover(docker: Docker, name: str, state_dir: str, edge: Edge) -> Optional[Container]:
    """Bring a service to where one release is live, or none, and nothing else is there.

    Args:
        docker: the engine of the host.
        name: name of the service.
        state_dir: folder with the host's state; the caller holds its lock.
        edge: what stands before the releases of this host.

    Returns:
        The live container, running or not, or None.

    Raises:
        ClassvmError: a release is live, but the edge cannot be led to it.

    """
    served, before = names.container_name(name), names.previous_name(name)
    tried = (names.check_name(name), names.candidate_name(name))
    # One question for all of them: most of the time there is nothing to do.
    there = docker.containers(served, before, *tried)
    live, former = there.get(served), there.get(before)
    if there.keys() & set(tried):
        drop_candidate(docker, name)
    if former is None:
        lead_to(edge, live)
    elif live is not None and health.is_healthy(docker, live):
        if slot_of(former):
            lead_to(edge, live)  # before the other one goes: nobody is kept waiting
        docker.check("rm", "--force", former.name)
        lead_to(edge, live)
    else:
        bring_back(docker, name, edge)
    settled = history.settle(
        state_dir, name, lambda entry: outcome_of_interrupted_swap(docker, entry)
    )
    # Where something was cut off, another one may be live now, or this one has come up.
    return docker.container(served) if settled or former is not None else live


def lead_to(edge: Edge, live: Optional[Container]) -> None:
    """Let the edge, where the live container is behind it, hand requests to that one."""
    if live is not None and slot_of(live):
        edge.lead_to(slot_of(live))


def drop_candidate(docker: Docker, name: str) -> None:
    """Remove the candidate and what calls it, as far as they are there."""
    docker.run("rm", "--force", names.check_name(name), names.candidate_name(name))


def bring_back(docker: Docker, name: str, edge: Edge) -> Finished:
    """Put the container that served before the swap back into its place.

    It keeps its telling name until it runs: cut off here, the next run brings it back again.

    Returns:
        What `docker start` said; its code is not 0 when somebody took the port meanwhile.

    """
    live, previous = names.container_name(name), names.previous_name(name)
    former = docker.container(previous)
    if docker.container(live) is not None:
        docker.check("rm", "--force", live)
    if former is not None and not slot_of(former):
        edge.leave_port()
    started = docker.run("start", previous)
    docker.check("rename", previous, live)
    lead_to(edge, former)
    return started


def outcome_of_interrupted_swap(docker: Docker, entry: history.Entry) -> history.Entry:
    """Return an attempt that was cut off with its result: look at what is live."""
    live = docker.container(names.container_name(entry.service))
    if live is not None and is_of(live, entry):
        # It may have been started a moment ago.
        with contextlib.suppress(ClassvmError):
            health.wait(docker, live.name, health.PROBE_SECONDS)
            return entry
    return entry.refused("cut off during the swap")


def is_of(live: Container, entry: history.Entry) -> bool:
    """Tell whether a container is the one that an attempt was to bring."""
    return (live.labels.get(LABEL_RELEASE), live.labels.get(LABEL_SETTINGS), live.image) == (
        entry.release,
        entry.settings,
        entry.image_id,
    )
