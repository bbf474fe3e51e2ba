"""Start, restart and stop the live release; which release it is does not change."""

from __future__ import annotations

from typing import List

from ..base import locks, names
from ..base.docker import Container, Docker
from ..base.edge import Edge
from ..base.errors import ClassvmError
from . import health, last_words, recover


def start(docker: Docker, service: str, state_dir: str, timeout: float) -> bool:
    """Make the live release run, healthy and behind its edge; return whether that is a change.

    Args:
        docker: the engine of the host.
        service: name of the service.
        state_dir: folder with the host's state.
        timeout: seconds within which it has to become healthy.

    Raises:
        ClassvmError: there is no release, it does not become healthy, or the edge is stopped and
            this account may not start it.

    """
    with locks.held(state_dir):
        found = recover.recover(docker, service, state_dir, Edge.load(state_dir))
        live = required(docker, service)
        if not live.running:
            _do(docker, "start", live)
        # To start a container sets its count of restarts to 0.
        _wait(docker, live, timeout, live.restarts if live.running else 0)
        return found.edge_repaired or not live.running


def restart(docker: Docker, service: str, state_dir: str, timeout: float) -> bool:
    """Stop the live release, where it runs, and start it; return that this is a change.

    Raises:
        ClassvmError: as `start`.

    """
    with locks.held(state_dir):
        recover.recover(docker, service, state_dir, Edge.load(state_dir))
        live = required(docker, service)
        _do(docker, "restart", live)
        _wait(docker, live, timeout)
        return True


def stop(docker: Docker, service: str, state_dir: str) -> bool:
    """Stop the live release, and a former one that an interrupted swap left; return whether one ran.

    A swap that is under way ends first: it would start again what is stopped here.
    """
    with locks.held(state_dir):
        found = running(docker, service)
        for name in found:
            docker.check("stop", name)
        return bool(found)


def running(docker: Docker, service: str) -> List[str]:
    """Return the names of the containers that `stop` has to stop."""
    # One that an interrupted swap left as a candidate may be the one that serves.
    named = (names.container_name, names.previous_name, names.candidate_name)
    asked = [name(service) for name in named]
    return [one.name for one in docker.containers(*asked).values() if one.running]


def required(docker: Docker, service: str) -> Container:
    """Return the live container, running or not.

    Raises:
        ClassvmError: there is none.

    """
    live = docker.container(names.container_name(service))
    if live is None:
        raise ClassvmError(
            f"There is no release of {service} on this host", fix="`make deploy` makes one."
        )
    return live


def _do(docker: Docker, verb: str, live: Container) -> None:
    done = docker.run(verb, live.name)
    if done.code:
        raise ClassvmError(
            f"{live.name} does not {verb}: {done.reason()}",
            fix="`make deploy` names what is in the way, `make rollback` goes back to another release.",
            details=done.last_lines(),
        )


def _wait(docker: Docker, live: Container, timeout: float, restarts: int = 0) -> None:
    try:
        health.wait(docker, live.name, timeout, restarts)
    except ClassvmError as reason:
        said = last_words.read(docker, live.name)
        raise ClassvmError(
            f"{live.name} runs, but {said.explain(reason.cause)}",
            fix="`make restart` may help, `make rollback` goes back to another release.",
            details=said.details,
        ) from reason
