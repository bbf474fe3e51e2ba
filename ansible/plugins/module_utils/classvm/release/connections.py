"""Wait until a container has no connections left, so that its end cuts off no request."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import List, Set

from ..base import account, command, progress
from ..base.docker import Container, Docker
from ..image.image_labels import LABEL_DRAIN
from . import health

POLL_SECONDS = 0.1
# States of a connection over which an answer may still go: established, half open, and closed by
# the client alone. Source: Linux, include/net/tcp_states.h
AT_WORK = {"01", "03", "08"}
LOCAL, STATE = 1, 3


def drain(docker: Docker, name: str, seconds: float) -> None:
    """Let a container end its connections, and wait until it has; it gets no new ones any more.

    Args:
        docker: the engine of the host.
        name: name of the container.
        seconds: how long to wait at most.

    """
    container = docker.container(name)
    if container is None or not container.running:
        return
    signal = container.labels.get(LABEL_DRAIN, "")
    if signal:
        tell(container, signal)
    progress.say("waiting until what has begun is answered")
    deadline = time.monotonic() + seconds
    # Asked twice: Docker's proxy may hold the end of an answer for a moment longer.
    quiet = 0
    while quiet < 2 and time.monotonic() < deadline:  # noqa: PLR2004 - as the comment says
        quiet = 0 if count(container) else quiet + 1
        time.sleep(POLL_SECONDS)


def tell(container: Container, signal: str) -> None:
    """Send a signal to the first process of a container.

    Not with `docker kill`, after which the engine would not start the container again at a reboot.
    """
    # One that its restart policy is about to start again has none; 0 would name every process of this one's group.
    if not container.pid:
        return
    as_root = account.root_argv(account.privilege(())) or ()
    command.run([*as_root, "kill", "-s", signal, "--", str(container.pid)])


def count(container: Container) -> int:
    """Return how many connections to its published ports a container has; 0 where nobody can tell.

    Docker's proxy has one on the host for each client of its own, and one to the container, which
    it may not have opened yet.
    """
    inside = {int(port.partition("/")[0]) for port in container.ports}
    return _open(str(container.pid), inside) + _open("self", set(health.published(container)))


def _open(process: str, ports: Set[int]) -> int:
    """Return how many connections to some ports are open in the network of a process."""
    found = 0
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{process}/net/{table}").read_text(encoding="ascii")
            found += sum(_is_at_work(line.split(), ports) for line in text.splitlines()[1:])
    return found


def _is_at_work(fields: List[str], ports: Set[int]) -> bool:
    port = int(fields[LOCAL].rpartition(":")[2], 16)
    return port in ports and fields[STATE] in AT_WORK
