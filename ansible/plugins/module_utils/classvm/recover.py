"""Finish or undo what a run that was cut off left behind; names and the journal tell what it was."""

from __future__ import annotations

import contextlib

from . import health, history, service
from .command import Finished
from .docker import Container, Docker
from .errors import ClassvmError
from .image import LABEL_RELEASE

LABEL_SETTINGS = "classvm.settings"


def recover(docker: Docker, name: str, state_dir: str) -> None:
    """Bring a service to where one release is live, or none, and nothing else is there.

    Args:
        docker: the engine of the host.
        name: name of the service.
        state_dir: folder with the host's state; the caller holds its lock.

    """
    drop_candidate(docker, name)
    if docker.container(service.previous_name(name)) is not None:
        live = docker.container(service.container_name(name))
        if live is not None and health.is_healthy(docker, live):
            docker.check("rm", "--force", service.previous_name(name))
        else:
            bring_back(docker, name)
    history.settle(state_dir, name, lambda entry: became(docker, entry))


def drop_candidate(docker: Docker, name: str) -> None:
    """Remove the candidate and what calls it, as far as they are there."""
    docker.run("rm", "--force", service.check_name(name))
    docker.run("rm", "--force", service.candidate_name(name))


def bring_back(docker: Docker, name: str) -> Finished:
    """Put the container that served before the swap back into its place.

    It keeps its telling name until it runs: cut off here, the next run brings it back again.

    Returns:
        What `docker start` said; its code is not 0 when somebody took the port meanwhile.

    """
    live, previous = service.container_name(name), service.previous_name(name)
    if docker.container(live) is not None:
        docker.check("rm", "--force", live)
    started = docker.run("start", previous)
    docker.check("rename", previous, live)
    return started


def became(docker: Docker, entry: history.Entry) -> history.Entry:
    """Return an attempt that was cut off with its result: look at what is live."""
    live = docker.container(service.container_name(entry.service))
    if live is not None and is_of(live, entry):
        # It may have been started a moment ago.
        with contextlib.suppress(ClassvmError):
            health.wait(docker, live.name, live.image, health.PROBE_SECONDS)
            return entry
    return entry.refused("cut off during the swap")


def is_of(live: Container, entry: history.Entry) -> bool:
    """Tell whether a container is the one that an attempt was to bring."""
    return (live.labels.get(LABEL_RELEASE), live.labels.get(LABEL_SETTINGS), live.image) == (
        entry.release,
        entry.settings,
        entry.image_id,
    )
