"""Tells what goes on in a program that takes a while: on a terminal in place, elsewhere in lines.

The screens are those of a run of Ansible: without a terminal, none is silent for ten seconds.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self, TextIO, cast

ROOT = Path(__file__).resolve().parents[1]
# As in `classvm`, which Ansible copies to the hosts.
sys.path.append(str(ROOT / "ansible/plugins/module_utils"))

from classvm.output.screens import screen_for  # noqa: E402 - its folder was added to the path above
from classvm.output.steps import Step  # noqa: E402 - as above
from classvm.output.story import Progress, Screen  # noqa: E402 - as above

if TYPE_CHECKING:
    from types import TracebackType

TICK_SECONDS = 0.2


class Live:
    """Shows the current step on a screen until the program is done with it."""

    def __init__(self, screen: Screen) -> None:
        """Show nothing yet."""
        self._screen = screen
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._progress: Progress | None = None
        self._ticking = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Self:
        """Let the seconds pass."""
        self._ticking.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take away what does not stay."""
        self._over.set()
        self._ticking.join()
        self._screen.clear()

    def step(self, name: str) -> None:
        """Begin a step."""
        with self._lock:
            self._screen.clear()
            self._progress = Progress(Step(name, kept=True), time.monotonic())

    def doing(self, what: str) -> None:
        """Note what is going on in it."""
        with self._lock:
            if self._progress is not None:
                self._progress.doing = what

    def _tick(self) -> None:
        while not self._over.wait(TICK_SECONDS):
            with self._lock:
                if self._progress is not None:
                    self._screen.show(self._progress, time.monotonic())


def on(stream: IO[str]) -> Live:
    """Return one that shows on a stream, whatever is done to that stream in between."""
    own = stream
    # What captures the output of tests takes the place of the stream itself.
    with contextlib.suppress(io.UnsupportedOperation):
        own = os.fdopen(os.dup(stream.fileno()), "w", encoding="utf-8")
    return Live(screen_for(cast("TextIO", own), os.environ))
