"""Start a release as the candidate, beside the live one, and have it prove itself."""

from __future__ import annotations

import json
import time
from typing import Dict

from ..base import progress
from ..base.docker import Docker
from ..base.edge import LABEL_SLOT
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


def labels(spec: ReleaseSpec, slot: str = "") -> Dict[str, str]:
    """Return the labels of a release's container."""
    known = {
        LABEL_SERVICE: spec.service,
        LABEL_RELEASE: spec.release,
        LABEL_SETTINGS: spec.settings,
        LABEL_HOW: json.dumps(difference.how(spec)),
    }
    return {**known, LABEL_SLOT: slot} if slot else known


def prove(docker: Docker, spec: ReleaseSpec) -> Verdict:
    """Start the candidate; refuse it unless it becomes healthy, keeps its contract and stays up.

    Returns:
        What the contract check found.

    Raises:
        ClassvmError: it is refused; the text tells why, with its last log lines.

    """
    start(docker, spec, spec.candidate)
    progress.say("checking its contract")
    healthy = time.monotonic()
    verdict = require_contract(docker, spec)
    progress.say("watching whether it stays up")
    time.sleep(max(0.0, healthy + spec.seconds.steady - time.monotonic()))
    reason = health.reason_of_end(docker, spec.candidate)
    if reason:
        raise refusal(docker, spec, spec.candidate, f"{reason}, shortly after it was healthy")
    return verdict


def create(
    docker: Docker, spec: ReleaseSpec, publish: str, slot: str = "", *, beside: bool = True
) -> None:
    """Create the candidate's container, which can then be started.

    Args:
        docker: the engine of the host.
        spec: the release and how it shall run.
        publish: host side and container side of its port mapping.
        slot: its slot behind the edge, or "".
        beside: whether it starts beside the live release; else it starts in its place.

    Raises:
        ClassvmError: the engine does not create it.

    """
    argv = run_argv(
        spec,
        name=spec.candidate,
        publish=publish,
        labels=labels(spec, slot),
        restart=NEVER if beside else ALWAYS,
    )
    keep.make_volumes(docker, spec.service, spec.keep, spec.app)
    shares = CANDIDATE_CPU_SHARES if beside else LIVE_CPU_SHARES
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
