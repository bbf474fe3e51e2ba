"""Follow the log of the live release: what is new in it, across releases."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from dataclasses import dataclass
from typing import IO, Iterator, List, Optional, Tuple

from ..base.docker import Docker
from . import log
from .log import LOOKED_THROUGH, Stamped

# While there is no live container, and while it does not run.
PAUSE_SECONDS = 0.5
# Lines that come together are shown together.
TOGETHER_SECONDS = 0.2


@dataclass(frozen=True)
class Position:
    """How far a log was read.

    Attributes:
        container: id of the container whose log it is; "" where nothing was read.
        stamp: the engine's time stamp of the last line.

    """

    container: str = ""
    stamp: str = ""


def read(
    docker: Docker, name: str, position: Position, lines: int, *, everything: bool
) -> Tuple[List[str], Position]:
    """Return what is in the log after a position, and where it ends now; nothing is waited for.

    Args:
        docker: the engine of the host.
        name: of the live container.
        position: how far it was read. Of another container, all lines are new.
        lines: how many at most where nothing was read before.
        everything: whether health checks and the contract check's calls count, too.

    """
    live = docker.container(name)
    if live is None:
        return [], position
    same = live.id == position.container
    since = ("--since", position.stamp) if same and position.stamp else ()
    words = ("logs", "--timestamps", *since, "--tail", str(LOOKED_THROUGH), name)
    found = log.stamped(docker.run(*words))
    new = [one for one in found if not same or one[0] > position.stamp]
    shown = log.wanted(new, everything=everything)
    last = new[-1][0] if new else position.stamp if same else ""
    return shown if position.container else shown[-lines:], Position(live.id, last)


def wait(docker: Docker, name: str, position: Position, seconds: float) -> None:
    """Wait until there may be something new after a position, so many seconds at most."""
    deadline = time.monotonic() + seconds
    live = docker.container(name)
    if live is not None and live.id != position.container:
        return
    if live is None or not live.running:
        time.sleep(min(PAUSE_SECONDS, seconds))
        return
    since = ("--since", position.stamp) if position.stamp else ()
    with _following(docker, *since, name) as lines:
        while time.monotonic() < deadline:
            with contextlib.suppress(queue.Empty):
                line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
                if line is None:  # its container has ended
                    return
                if line[0] > position.stamp:
                    time.sleep(TOGETHER_SECONDS)
                    return


@contextlib.contextmanager
def _following(docker: Docker, *words: str) -> Iterator[queue.Queue[Optional[Stamped]]]:
    """Start `docker logs --follow`, and put its lines, then None, into a queue; it ends with the block."""
    lines: queue.Queue[Optional[Stamped]] = queue.Queue()
    process = docker.started("logs", "--follow", "--timestamps", *words)
    try:
        for pipe in (process.stdout, process.stderr):
            threading.Thread(target=_put, args=(pipe, lines), daemon=True).start()
        yield lines
    finally:
        process.kill()
        process.wait()


def _put(pipe: IO[bytes], lines: queue.Queue[Optional[Stamped]]) -> None:
    for line in pipe:
        lines.put(log.split(line.decode(errors="replace").rstrip("\r\n")))
    lines.put(None)
