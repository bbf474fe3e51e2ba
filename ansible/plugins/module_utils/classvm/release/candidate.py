"""Start a release as the candidate, beside the live one, and have it prove itself."""

from __future__ import annotations

import json
import time
from typing import Callable, Dict, List, Optional

from ..base import progress
from ..base.docker import Docker
from ..base.edge import LABEL_SLOT, Edge
from ..base.errors import ClassvmError
from ..image.image_labels import LABEL_RELEASE, LABEL_SERVICE
from . import difference, health, keep
from .contract_check import Verdict, require_contract
from .refusal import refusal
from .release_spec import (
    ALWAYS,
    CANDIDATE_CPU_SHARES,
    LABEL_HOW,
    LABEL_SETTINGS,
    LIVE_CPU_SHARES,
    NEVER,
    ReleaseSpec,
    env_file,
    run_argv,
)

# How often to look whether a release has ended to which clients are led already.
WATCH_SECONDS = 0.2


def labels(spec: ReleaseSpec, slot: str = "") -> Dict[str, str]:
    """Return the labels of a release's container."""
    known = {
        LABEL_SERVICE: spec.service,
        LABEL_RELEASE: spec.release,
        LABEL_SETTINGS: spec.settings,
        LABEL_HOW: json.dumps(difference.how(spec)),
    }
    return {**known, LABEL_SLOT: slot} if slot else known


def prove(docker: Docker, spec: ReleaseSpec, *, steady: bool = False) -> Verdict:
    """Start the candidate; refuse it unless it becomes healthy and keeps its contract.

    Args:
        docker: the engine of the host.
        spec: the release and how it shall run.
        steady: whether it also has to stay up for the steady time, which the check is part of.

    Returns:
        What the contract check found.

    Raises:
        ClassvmError: it is refused; the text tells why, with its last log lines.

    """
    start(docker, spec, spec.candidate)
    healthy = time.monotonic()
    progress.say("checking its contract")
    verdict = require_contract(docker, spec)
    if steady:
        watch_steady(docker, spec, spec.candidate, healthy)
    return verdict


def watch_steady(
    docker: Docker,
    spec: ReleaseSpec,
    name: str,
    since: Optional[float] = None,
    give_way: Callable[[], None] = lambda: None,
) -> None:
    """Watch whether a container of the release stays up for the steady time.

    Args:
        docker: the engine of the host.
        spec: the release and how it shall run.
        name: name of the container.
        since: when that time began, on the monotonic clock; None is now, after clients were led to it.
        give_way: leads clients back; called before anything is asked about its end.

    Raises:
        ClassvmError: it ended; the text tells why, with its last log lines.

    """
    progress.say("watching whether it stays up")
    until = (time.monotonic() if since is None else since) + spec.seconds.steady
    while True:
        reason = health.reason_of_end(docker, name)
        if reason:
            give_way()
            why = f"{reason}, shortly after it was healthy"
            raise refusal(docker, spec, name, why, served=since is None)
        left = until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, WATCH_SECONDS))


def create(
    docker: Docker, spec: ReleaseSpec, publish: str, slot: str = "", *, proven: bool = False
) -> None:
    """Create the candidate's container, which can then be started beside the live release.

    Args:
        docker: the engine of the host.
        spec: the release and how it shall run.
        publish: host side and container side of its port mapping.
        slot: its slot behind the edge, or "".
        proven: whether it has nothing to prove any more, and somebody waits for it: then it has the
            settings of a live one.

    Raises:
        ClassvmError: the engine does not create it.

    """
    restart, shares = (ALWAYS, LIVE_CPU_SHARES) if proven else (NEVER, CANDIDATE_CPU_SHARES)
    argv = run_argv(
        spec, name=spec.candidate, publish=publish, labels=labels(spec, slot), restart=restart
    )
    _create(docker, spec, shares, argv)


def create_on_port(
    docker: Docker, spec: ReleaseSpec, name: str, shares: str = LIVE_CPU_SHARES
) -> None:
    """Create the container that publishes the host's port, and can be started when that is free.

    Args:
        docker: the engine of the host.
        spec: the release and how it shall run.
        name: name of the container.
        shares: its CPU shares; with those of a candidate it starts beside one that serves.

    Raises:
        ClassvmError: the engine does not create it.

    """
    publish = f"{spec.host_port}:{spec.container_port}"
    argv = run_argv(spec, name=name, publish=publish, labels=labels(spec))
    _create(docker, spec, shares, argv)


def create_in_slot(docker: Docker, spec: ReleaseSpec, name: str, edge: Edge, slot: str) -> None:
    """Create the container that serves from a slot behind the edge; it starts beside one that serves.

    Raises:
        ClassvmError: the engine does not create it.

    """
    publish = published_in(edge, slot, spec)
    argv = run_argv(spec, name=name, publish=publish, labels=labels(spec, slot))
    _create(docker, spec, CANDIDATE_CPU_SHARES, argv)


def published_in(edge: Edge, slot: str, spec: ReleaseSpec) -> str:
    """Return host side and container side of the port mapping of a slot."""
    return f"127.0.0.1:{edge.slots[slot]}:{spec.container_port}"


def _create(docker: Docker, spec: ReleaseSpec, shares: str, argv: List[str]) -> None:
    keep.make_volumes(docker, spec.service, spec.keep, spec.app)
    docker.check("create", "--cpu-shares", shares, *argv, stdin=env_file(spec).encode())


def promote(docker: Docker, spec: ReleaseSpec) -> None:
    """Give a candidate that started beside the live release the settings of a live one."""
    docker.check("update", "--restart", ALWAYS, "--cpu-shares", LIVE_CPU_SHARES, spec.candidate)


def start(docker: Docker, spec: ReleaseSpec, name: str) -> None:
    """Start a container of the release and wait until it is healthy.

    Raises:
        ClassvmError: it does not start, ends, or does not become healthy in time.

    """
    progress.say(f"waiting until it is healthy, {spec.seconds.health:.0f} s at most")
    started = docker.run("start", name)
    if started.code:
        raise refusal(docker, spec, name, f"it does not start: {started.last_lines()}")
    try:
        health.wait(docker, name, spec.seconds.health)
    except ClassvmError as reason:
        raise refusal(docker, spec, name, str(reason)) from reason
