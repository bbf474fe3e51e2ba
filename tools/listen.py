"""Runs a command without a terminal, and notes what it prints and how long it is silent."""

from __future__ import annotations

import itertools
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Heard:
    """A command that has ended, as somebody saw it who read along.

    Attributes:
        code: its exit code.
        lines: what it printed, each with its end.
        seconds: how long it took.
        silence: the longest time in which it printed nothing, in seconds.

    """

    code: int
    lines: tuple[str, ...]
    seconds: float
    silence: float


def listen(argv: Sequence[str], folder: Path, limit: float | None = None) -> Heard:
    """Run a command in a folder to its end.

    Args:
        argv: the command.
        folder: where.
        limit: seconds after which it is killed; None for no limit.

    """
    times, lines = [time.monotonic()], []
    with subprocess.Popen(  # noqa: S603 - commands of our own
        argv,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        # A question would be asked on the terminal of this program, and nobody would answer it.
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        timer = threading.Timer(limit or threading.TIMEOUT_MAX, process.kill)
        timer.daemon = True
        timer.start()
        for line in process.stdout or ():
            lines.append(line)
            times.append(time.monotonic())
        code = process.wait()
        timer.cancel()
    times.append(time.monotonic())
    silence = max(after - before for before, after in itertools.pairwise(times))
    return Heard(code, tuple(lines), times[-1] - times[0], silence)
