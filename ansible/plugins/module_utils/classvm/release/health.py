"""Find out whether a container is healthy: by the health check of its image, and by its port."""

from __future__ import annotations

import contextlib
import time
from typing import Callable, Dict, List, Sequence, Tuple

from ..base.docker import Container, Docker
from ..base.errors import ClassvmError
from . import asking, listening

POLL_SECONDS = 0.1
# A health check starts a program in the container, which takes CPU time from the service that is
# starting. A request to its port costs almost nothing, so it comes first ...
PORT_POLL_SECONDS = 0.01
ANSWER_SECONDS = 0.5
# ... but a healthy service need not answer there, and one that ended never will.
PORT_GRACE_SECONDS = 1.0
# A health check that takes longer has failed.
PROBE_SECONDS = 10
USER_AGENT = "classvm-health"
TRIES, PAUSE_SECONDS = 3, 1.0
GONE = "it is gone"
NO_SERVER = ": the program came to its end, and a service has to start a server"
# The variable with the seconds within which a release has to be healthy.
LIMIT = "service_health_timeout"
LOOPBACK = "127.0.0.1"
# An address and a TCP port.
Place = Tuple[str, int]


def check_argv(container: Container) -> List[str]:
    """Return the command of a container's health check; [] where its image has none.

    Source: https://docs.docker.com/reference/dockerfile/#healthcheck
    """
    test = container.healthcheck
    kinds: Dict[str, Callable[[], List[str]]] = {
        "CMD": lambda: list(test[1:]),
        "CMD-SHELL": lambda: ["/bin/sh", "-c", test[1]],
    }
    return kinds[test[0]]() if test and test[0] in kinds else []


def is_healthy(docker: Docker, container: Container) -> bool:
    """Tell whether a container runs and passes its health check now.

    A check may fail once on a busy host; to replace the live release would load the host more.
    """
    return container.running and _in_some_try(lambda: _passes(docker, container, PROBE_SECONDS))


def wait(docker: Docker, name: str, timeout: float, restarts: int = 0) -> None:
    """Wait until a container is healthy.

    Args:
        docker: the engine of the host.
        name: name of the container.
        timeout: seconds within which it has to be healthy.
        restarts: how often its restart policy had started it again before.

    Raises:
        ClassvmError: it is gone, ended, or was not healthy within ``timeout`` seconds.

    """
    deadline = time.monotonic() + timeout
    container = docker.container(name)
    if container is None:
        raise ClassvmError(GONE)
    places = own_places(container)
    _await_answer(places)
    # The last try may take a moment longer than what is left, but it may not hang.
    while not _passes(docker, container, max(1.0, deadline - time.monotonic())):
        reason = reason_of_end(docker, name, restarts)
        if reason:
            raise ClassvmError(reason)
        if time.monotonic() > deadline:
            found = listening.problem(docker, container)
            raise ClassvmError(
                f"it was not healthy within {timeout:.0f} s ({LIMIT})" + (found and f"; {found}")
            )
        time.sleep(POLL_SECONDS)
        _await_answer(places)


def own_places(container: Container) -> List[Place]:
    """Return the container's own address with each TCP port that is published.

    The port of the host would be the wrong place to ask: another container may answer there.
    """
    ports = sorted(int(port.partition("/")[0]) for port in container.ports)
    return [(container.address, port) for port in ports if container.address]


def published(container: Container) -> List[int]:
    """Return the TCP ports of this host that lead to a container."""
    return sorted({port for each in container.ports.values() for _, port in each})


def answers(port: int, address: str = LOOPBACK) -> bool:
    """Tell whether a TCP port of this host, or at another address, gives any HTTP answer."""
    with contextlib.suppress(OSError):
        return bool(asking.status_of(address, port, "HEAD", USER_AGENT, ANSWER_SECONDS))
    return False


def answers_in_time(port: int) -> bool:
    """Tell whether a TCP port gives any HTTP answer, as patiently as ``is_healthy``."""
    return _in_some_try(lambda: answers(port))


def reason_of_end(docker: Docker, name: str, restarts: int = 0) -> str:
    """Return why a container no longer runs, or "" while it does.

    Where a restart policy starts a crashed one again, a restart counts as an end, unless it is among
    those that had happened before.
    """
    container = docker.container(name)
    if container is None:
        return GONE
    if container.running and container.restarts == restarts:
        return ""
    cause = ", out of memory" if container.out_of_memory else ""
    cause = cause or (NO_SERVER if container.exit_code == 0 else "")
    return f"it ended with exit code {container.exit_code}{cause}"


def _passes(docker: Docker, container: Container, seconds: float) -> bool:
    check = check_argv(container)
    if not check:  # that it runs does not tell that anybody reaches it
        return _any_answers(own_places(container))
    try:
        return docker.exec_code(seconds, container.name, *check) == 0
    except ClassvmError:  # it hangs
        return False


def _in_some_try(succeeds: Callable[[], bool]) -> bool:
    for _ in range(TRIES - 1):
        if succeeds():
            return True
        time.sleep(PAUSE_SECONDS)
    return succeeds()


def _any_answers(places: Sequence[Place]) -> bool:
    return any(answers(port, address) for address, port in places)


def _await_answer(places: Sequence[Place]) -> None:
    """Wait for an answer at one of the places, ``PORT_GRACE_SECONDS`` at most."""
    deadline = time.monotonic() + PORT_GRACE_SECONDS
    while places and time.monotonic() < deadline and not _any_answers(places):
        time.sleep(PORT_POLL_SECONDS)
