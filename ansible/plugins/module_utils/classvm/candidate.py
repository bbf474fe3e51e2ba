"""Start a release beside the live one and have it prove itself."""

from __future__ import annotations

import inspect
import json
import time
from typing import Dict

from . import difference, health
from .docker import Docker
from .edge import LABEL_SLOT
from .errors import ClassvmError
from .image import LABEL_RELEASE, LABEL_SERVICE
from .service import check_name
from .wish import ALWAYS, LABEL_HOW, LABEL_SETTINGS, NEVER, Wish, run_words

# Ten operations take a second; a service that never ends its answers would take for ever.
CONTRACT_SECONDS = 120
# What serves comes first: shares of the processor of what runs beside it, and its own.
ASIDE_SHARES, SHARES = "128", "1024"
# One that crashes shortly after its start would be live by then.
STEADY_SECONDS = 3.0


def labels(wish: Wish, slot: str = "") -> Dict[str, str]:
    """Return the labels by which the container of a release is known."""
    known = {
        LABEL_SERVICE: wish.service,
        LABEL_RELEASE: wish.release,
        LABEL_SETTINGS: wish.settings,
        LABEL_HOW: json.dumps(difference.how(wish)),
    }
    return {**known, LABEL_SLOT: slot} if slot else known


def prove(docker: Docker, wish: Wish) -> None:
    """Start the candidate, and refuse it unless it is healthy, keeps its contract and stays up.

    Raises:
        ClassvmError: it is refused; the text tells why, with its last log lines.

    """
    start(docker, wish, wish.candidate)
    healthy = time.monotonic()
    require_contract(docker, wish)
    time.sleep(max(0.0, healthy + STEADY_SECONDS - time.monotonic()))
    reason = health.ended(docker, wish.candidate)
    if reason:
        raise refusal(docker, wish, wish.candidate, f"{reason}, shortly after it was healthy")


def create(
    docker: Docker, wish: Wish, publish: str, slot: str = "", *, beside: bool = True
) -> None:
    """Have the candidate's container there, ready to be started.

    Args:
        docker: the engine of the host.
        wish: the release and its limits.
        publish: host side and container side of its port mapping.
        slot: its slot behind the edge, or "".
        beside: whether it starts beside what serves, or in its place.

    Raises:
        ClassvmError: the engine does not make it.

    """
    words = run_words(
        wish,
        name=wish.candidate,
        publish=publish,
        labels=labels(wish, slot),
        restart=NEVER if beside else ALWAYS,
    )
    docker.check("create", "--cpu-shares", ASIDE_SHARES if beside else SHARES, *words)


def promote(docker: Docker, wish: Wish) -> None:
    """Give a candidate that started beside what serves all that one needs that serves."""
    docker.check("update", "--restart", ALWAYS, "--cpu-shares", SHARES, wish.candidate)


def start(docker: Docker, wish: Wish, name: str) -> None:
    """Start a container of the release and wait until it is healthy.

    Raises:
        ClassvmError: it does not start, ends, or does not become healthy in time.

    """
    started = docker.run("start", name)
    if started.code:
        raise refusal(docker, wish, name, f"it does not start: {started.last_lines()}")
    try:
        health.wait(docker, name, wish.health_timeout)
    except ClassvmError as reason:
        raise refusal(docker, wish, name, str(reason)) from reason


def refusal(docker: Docker, wish: Wish, name: str, reason: str) -> ClassvmError:
    """Return the error that says why a release was refused."""
    words = health.last_words(docker, name)
    return ClassvmError(f"Release {wish.release} was refused: {reason}\n{words}")


def require_contract(docker: Docker, wish: Wish) -> None:
    """Call every operation of the candidate from a throw-away container in its network.

    The service image has all that the check needs, so nothing is installed on the host.

    Raises:
        ClassvmError: an answer breaks the contract, or none comes.

    """
    if not wish.contract:
        return
    # Only here: it takes as long as three calls of the engine; without a change there is no need.
    from . import contract  # noqa: PLC0415

    try:
        checked = docker.run_within(
            CONTRACT_SECONDS,
            *("run", "--rm", "--interactive", "--name", check_name(wish.service)),
            *("--label", f"{LABEL_SERVICE}={wish.service}", "--read-only", "--cap-drop", "ALL"),
            *("--cpu-shares", ASIDE_SHARES),
            *("--network", f"container:{wish.candidate}", "--entrypoint", "python3", wish.image),
            *("-c", inspect.getsource(contract), "--spec", "/dev/stdin"),
            *("--url", f"http://127.0.0.1:{wish.container_port}"),
            stdin=wish.contract.encode(),
        )
        broken = checked.last_lines() if checked.code else ""
    except ClassvmError:
        broken = f"Its answers took longer than {CONTRACT_SECONDS} s altogether."
    if broken:
        raise ClassvmError(
            f"Release {wish.release} breaks its contract; the running release was not touched."
            f"\n{broken}\n{health.last_words(docker, wish.candidate)}",
        )
