"""Start a release as the candidate, beside the live one, and have it prove itself."""

from __future__ import annotations

import json
import time
from typing import Dict

from ..base.docker import Docker
from ..base.edge import LABEL_SLOT
from ..base.errors import ClassvmError
from ..base.names import check_name
from ..image.service_image import LABEL_RELEASE, LABEL_SERVICE
from . import difference, health
from .release_spec import (
    ALWAYS,
    LABEL_HOW,
    LABEL_SETTINGS,
    NEVER,
    ReleaseSpec,
    env_file,
    run_argv,
)

# Candidates get an eighth of the live release's CPU shares.
CANDIDATE_CPU_SHARES, LIVE_CPU_SHARES = "128", "1024"


def labels(spec: ReleaseSpec, slot: str = "") -> Dict[str, str]:
    """Return the labels of a release's container."""
    known = {
        LABEL_SERVICE: spec.service,
        LABEL_RELEASE: spec.release,
        LABEL_SETTINGS: spec.settings,
        LABEL_HOW: json.dumps(difference.how(spec)),
    }
    return {**known, LABEL_SLOT: slot} if slot else known


def prove(docker: Docker, spec: ReleaseSpec) -> None:
    """Start the candidate; refuse it unless it becomes healthy, keeps its contract and stays up.

    Raises:
        ClassvmError: it is refused; the text tells why, with its last log lines.

    """
    start(docker, spec, spec.candidate)
    healthy = time.monotonic()
    require_contract(docker, spec)
    time.sleep(max(0.0, healthy + spec.seconds.steady - time.monotonic()))
    reason = health.reason_of_end(docker, spec.candidate)
    if reason:
        raise refusal(docker, spec, spec.candidate, f"{reason}, shortly after it was healthy")


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
    started = docker.run("start", name)
    if started.code:
        raise refusal(docker, spec, name, f"it does not start: {started.last_lines()}")
    try:
        health.wait(docker, name, spec.seconds.health)
    except ClassvmError as reason:
        raise refusal(docker, spec, name, str(reason)) from reason


def refusal(docker: Docker, spec: ReleaseSpec, name: str, reason: str) -> ClassvmError:
    """Return the error that says why a release was refused."""
    last_lines = health.last_log_lines(docker, name)
    return ClassvmError(f"Release {spec.release} was refused: {reason}\n{last_lines}")


def require_contract(docker: Docker, spec: ReleaseSpec) -> None:
    """Call every operation of the candidate from a throw-away container in its network.

    The service image has all that the check needs, so nothing is installed on the host.

    Raises:
        ClassvmError: an answer breaks the contract, or none comes.

    """
    if not spec.contract:
        return
    # Only here: importing it takes as long as three calls of the engine, and a deploy that changes
    # nothing does not need it.
    from ..contract import archive  # noqa: PLC0415 - for the reason above

    try:
        checked = docker.run_within(
            spec.seconds.contract,
            *("run", "--rm", "--interactive", "--name", check_name(spec.service)),
            *("--label", f"{LABEL_SERVICE}={spec.service}", "--read-only", "--cap-drop", "ALL"),
            *("--cpu-shares", CANDIDATE_CPU_SHARES),
            *("--tmpfs", archive.FOLDER),
            *("--network", f"container:{spec.candidate}", "--entrypoint", "python3"),
            spec.checker_image or spec.image,
            *("-c", archive.program(), "--spec", "/dev/stdin"),
            *("--url", f"http://127.0.0.1:{spec.container_port}"),
            # On a busy host, a candidate's share of the processor makes each answer slow.
            *("--timeout", f"{spec.seconds.request:g}"),
            stdin=spec.contract.encode(),
        )
        broken = checked.last_lines() if checked.code else ""
    except ClassvmError:
        broken = f"Its answers took longer than {spec.seconds.contract:.0f} s altogether."
    if broken:
        reason = health.reason_of_end(docker, spec.candidate)
        if reason:
            # That no call was answered is only the consequence.
            raise refusal(docker, spec, spec.candidate, f"{reason}, during its contract check")
        raise ClassvmError(
            f"Release {spec.release} breaks its contract; the running release was not touched."
            f"\n{broken}\n{health.last_log_lines(docker, spec.candidate)}",
        )
