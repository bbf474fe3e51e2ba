"""The two places where the story of a run is told: a terminal, and everything else."""

from __future__ import annotations

import shutil
import time
from typing import Callable, List, Mapping, Optional, TextIO

from .steps import FIRST
from .story import Progress, Screen

GREEN, RED, DIM, PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[2m", "\x1b[0m"
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
FRAMES_PER_SECOND = 5
# Hosts with a line of their own while they work.
HOST_LINES = 12
# Without a terminal, the output is not silent for longer than this.
BEAT_SECONDS = 10
# A step that has ended by then is told by its result.
QUICK_SECONDS = 1.0


def screen_for(stream: TextIO, environment: Mapping[str, str]) -> Screen:
    """Return the screen for an output: a live one where it is a terminal."""
    if stream.isatty() and environment.get("TERM", "dumb") != "dumb":
        return Terminal(stream, colour=not environment.get("NO_COLOR"))
    return Lines(stream)


class Terminal(Screen):
    """A terminal: the current step is redrawn in place until its result replaces it."""

    def __init__(self, stream: TextIO, *, colour: bool) -> None:
        """Draw nothing yet."""
        self._stream = stream
        self._colour = colour
        self._drawn = 0

    def say(self, text: str) -> None:
        """Show text that stays in the place of what is redrawn."""
        self.clear()
        self._write(f"{text}\n")

    def show(self, progress: Progress, now: float) -> None:
        """Redraw the step, and a line for each host where there are several."""
        if self._drawn and ssh_may_ask(progress):
            return
        self.clear()
        columns = shutil.get_terminal_size().columns - 1
        frame = SPINNER[int(now * FRAMES_PER_SECOND) % len(SPINNER)]
        lines = [f"{frame} {running(progress, now)}", *host_lines(progress)]
        self._drawn = len(lines)
        # The cursor stays on the last line: a line more might scroll, and the next drawing miss its place.
        self._write("\n".join(line[:columns] for line in lines))

    def done(self, progress: Progress, now: float) -> None:
        """Show the result of a step in its place."""
        self._result("✓", GREEN, progress.step.name, progress.seconds(now))

    def failed(self, progress: Progress, now: float, host: str) -> None:
        """Show that a step failed."""
        self._result("✗", RED, on_host(progress.step.name, host), progress.seconds(now))

    def clear(self) -> None:
        """Erase what is redrawn."""
        if self._drawn:
            up = f"\x1b[{self._drawn - 1}A" if self._drawn > 1 else ""
            self._write(f"\r{up}\x1b[J")
        self._drawn = 0

    def _result(self, mark: str, colour: str, text: str, seconds: int) -> None:
        self.say(f"{self._in(colour, mark)} {text}{self._in(DIM, took(seconds))}")

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{PLAIN}" if self._colour and text else text

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


class Lines(Screen):
    """A file, a pipe, the log of a pipeline: lines with the time of day, none erased."""

    def __init__(
        self, stream: TextIO, stamp: Callable[[], str] = lambda: time.strftime("%H:%M:%S")
    ) -> None:
        """Print nothing yet."""
        self._stream = stream
        self._stamp = stamp
        self._current: Optional[Progress] = None
        self._beats = 0
        self._begun = False

    def say(self, text: str) -> None:
        """Print text as it is."""
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def show(self, progress: Progress, now: float) -> None:
        """Print that a step has begun, then every ten seconds that it is still going on."""
        if progress is not self._current:
            self._current, self._beats, self._begun = progress, 0, False
        if not self._begun and progress.step.kept and now - progress.began >= QUICK_SECONDS:
            self._begun = True
            self._print(progress.step.name)
        beats = progress.seconds(now) // BEAT_SECONDS
        if beats > self._beats:
            self._beats = beats
            self._print(f"still: {running(progress, now)}{busy_hosts(progress)}")

    def done(self, progress: Progress, now: float) -> None:
        """Print the result of a step that was too quick for its beginning to be printed."""
        if not (self._begun and progress is self._current):
            self._print(progress.step.name + took(progress.seconds(now)))

    def failed(self, progress: Progress, now: float, host: str) -> None:
        """Print that a step failed."""
        self._print(f"failed: {on_host(progress.step.name, host)}{took(progress.seconds(now))}")

    def _print(self, text: str) -> None:
        self.say(f"{self._stamp()} {text}")


def ssh_may_ask(progress: Progress) -> bool:
    """Tell whether ssh may be asking whether to trust a host: drawing would erase the question."""
    return progress.step.name == FIRST and any(host != "localhost" for host in progress.hosts)


def running(progress: Progress, now: float) -> str:
    """Return how a step goes on: "Provide the base image, 20 s: Install mmdebstrap"."""
    text = progress.step.name + took(progress.seconds(now))
    return text if progress.doing in ("", progress.step.name) else f"{text}: {progress.doing}"


def took(seconds: int) -> str:
    """Return a duration as the end of a line; nothing where it is below a second."""
    return f", {seconds} s" if seconds else ""


def on_host(text: str, host: str) -> str:
    """Return a text with the host that it is about, where one is named."""
    return f"{text} on {host}" if host else text


def busy_hosts(progress: Progress) -> str:
    """Return which hosts still work, where there are several."""
    busy = [host for host, work in progress.hosts.items() if work.busy]
    return f" ({', '.join(busy[:HOST_LINES])})" if len(progress.hosts) > 1 else ""


def host_lines(progress: Progress) -> List[str]:
    """Return a line for each host of several: which ones wait for the others is seen at a glance."""
    if len(progress.hosts) == 1:
        return []
    width = max(map(len, progress.hosts), default=0)
    lines = [
        f"    {host:{width}}  {'failed' if work.failed else 'at work' if work.busy else 'done'}"
        for host, work in sorted(progress.hosts.items())
    ]
    more = len(lines) - HOST_LINES
    return lines if more <= 0 else [*lines[:HOST_LINES], f"    … and {more} more"]
