"""Finish or undo what an interrupted run left behind; names and the journal tell what it was."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Optional

from ..base import names
from ..base.command import Finished
from ..base.docker import Container, Docker
from ..base.edge import Edge, slot_of
from ..base.errors import ClassvmError
from ..image.image_labels import LABEL_RELEASE
from . import connections, health, history, redirect
from .release_spec import (
    ALWAYS,
    EVEN_STOPPED,
    LABEL_SETTINGS,
    LIVE_CPU_SHARES,
)

# What a candidate has begun to answer when its redirect ends is given so much time.
DRAIN_SECONDS = 5
CUT_OFF = "cut off during the swap"


@dataclass(frozen=True)
class Recovered:
    """A host on which at most one container of the service is left.

    Attributes:
        live: the live container, running or not, or None.
        edge_repaired: whether the edge did not lead to it before.

    """

    live: Optional[Container]
    edge_repaired: bool = False


def recover(docker: Docker, service: str, state_dir: str, edge: Edge) -> Recovered:
    """Bring a service to where one release is live, or none, and nothing else is left of it.

    Args:
        docker: the engine of the host.
        service: name of the service.
        state_dir: folder with the host's state; the caller holds its lock.
        edge: what stands before the releases of this host.

    Raises:
        ClassvmError: a release is live, but the edge cannot be led to it; or clients are led to a
            candidate, and this account may not end that.

    """
    live_name, previous_name = names.container_name(service), names.previous_name(service)
    beside = (names.check_name(service), names.candidate_name(service))
    # One call for all of them: most of the time there is nothing to do.
    found = docker.containers(live_name, previous_name, *beside)
    live, former = found.get(live_name), found.get(previous_name)
    repaired = False
    led = redirect.is_left(service, state_dir)
    if led:
        redirect.require_right_to_end(service)
    if former is None:
        repaired = lead_to(edge, live)
    elif live is not None and health.is_healthy(docker, live):
        if slot_of(former):
            lead_to(edge, live)  # before the former one goes, so that no client has to wait
        docker.check("rm", "--force", "--volumes", former.name)
        lead_to(edge, live)
    else:
        bring_back(docker, service, edge)
    if led:
        end_redirect(docker, service, state_dir)
    elif found.keys() & set(beside):
        drop_candidate(docker, service)
    settled = history.settle(
        state_dir, service, lambda entry: outcome_of_interrupted_swap(docker, entry)
    )
    # After an interrupted swap another container may be live, or this one has started meanwhile.
    if settled or former is not None:
        live = docker.container(live_name)
    if live is not None and live.host_config.get("CpuShares") != int(LIVE_CPU_SHARES):
        give_shares(docker, live_name)
    return Recovered(live, repaired)


def give_shares(docker: Docker, name: str) -> None:
    """Give a container that started with the CPU shares of a candidate those of a live one."""
    docker.check("update", "--cpu-shares", LIVE_CPU_SHARES, name)


def lead_to(edge: Edge, live: Optional[Container]) -> bool:
    """Let the edge lead to the live container if that is behind it; return whether it did not."""
    if live is None or not edge.problem_of(live):
        return False
    edge.lead_to(slot_of(live))
    return True


def end_redirect(docker: Docker, service: str, state_dir: str) -> None:
    """Let clients go to the live release as soon as it is healthy, then remove the candidate.

    Raises:
        ClassvmError: nftables does not answer.

    """
    with contextlib.suppress(ClassvmError):  # then neither answers
        health.wait(docker, names.container_name(service), health.PROBE_SECONDS)
    redirect.end(service)
    connections.drain(docker, names.candidate_name(service), DRAIN_SECONDS)
    drop_candidate(docker, service)
    redirect.remove(service, state_dir)


def drop_candidate(docker: Docker, service: str) -> None:
    """Remove the candidate and the container that calls it, where they exist."""
    beside = (names.check_name(service), names.candidate_name(service))
    docker.run("rm", "--force", "--volumes", *beside)


def bring_back(docker: Docker, service: str, edge: Edge) -> Finished:
    """Make the container live again that was live before the swap.

    It keeps the name of the former release until it runs: if this is interrupted, the next run
    brings it back again.

    Returns:
        The finished `docker start`; its code is not 0 when another program took the port.

    """
    live, previous = names.container_name(service), names.previous_name(service)
    former, new = docker.container(previous), docker.container(live)
    if new is not None:
        if former is not None and former.running and slot_of(new):
            lead_to(edge, former)  # before the new one goes, so that no client has to wait
        docker.check("rm", "--force", "--volumes", live)
    if former is not None and not slot_of(former):
        edge.leave_port()
    started = docker.run("start", previous)
    if former is not None and former.restart_policy == EVEN_STOPPED:
        docker.check("update", "--restart", ALWAYS, previous)
    docker.check("rename", previous, live)
    lead_to(edge, former)
    return started


def outcome_of_interrupted_swap(docker: Docker, entry: history.Entry) -> history.Entry:
    """Return an interrupted attempt with its result, which the live container tells."""
    live = docker.container(names.container_name(entry.service))
    if live is not None and is_of(live, entry):
        # It may have started a moment ago.
        with contextlib.suppress(ClassvmError):
            health.wait(docker, live.name, health.PROBE_SECONDS)
            return entry
    return entry.refused(f"{CUT_OFF}, after it had begun to serve" if entry.served else CUT_OFF)


def is_of(live: Container, entry: history.Entry) -> bool:
    """Tell whether a container is the one that an attempt was to make live."""
    return (live.labels.get(LABEL_RELEASE), live.labels.get(LABEL_SETTINGS), live.image) == (
        entry.release,
        entry.settings,
        entry.image_id,
    )
