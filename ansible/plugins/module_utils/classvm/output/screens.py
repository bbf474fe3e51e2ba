"""The two places where the story of a run is told: a terminal, and everything else."""

from __future__ import annotations

import os
import shutil
import time
from typing import Callable, Dict, List, Mapping, Optional, Sequence, TextIO

from .steps import FIRST
from .story import HostWork, Progress, Screen

GREEN, RED, DIM, PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[2m", "\x1b[0m"
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
FRAMES_PER_SECOND = 5
# Hosts with a line of their own while they work; and those that are named where there is one line.
HOST_LINES, HOSTS_IN_LINE = 12, 3
# Letters of what a line says of them.
BUSY_LENGTH = 120
# Without a terminal, the output is never silent for ten seconds, though a busy machine takes its share.
BEAT_SECONDS = 8
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
        columns = width_of(self._stream) - 1
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
        self._begun = False
        # Since when nothing was printed; None: since the last line.
        self._silent_since: Optional[float] = None

    def say(self, text: str) -> None:
        """Print text as it is."""
        self._silent_since = None
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def show(self, progress: Progress, now: float) -> None:
        """Print that a step has begun, and after each while of silence how it goes on."""
        if progress is not self._current:
            self._current, self._begun = progress, False
        if self._silent_since is None:
            self._silent_since = now
        silent = now - self._silent_since >= BEAT_SECONDS
        told_soon = silent or now - progress.began >= QUICK_SECONDS
        if not self._begun and progress.step.kept and told_soon:
            self._begun = True
            self._print(progress.step.name)
        elif silent:
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


def width_of(stream: TextIO) -> int:
    """Return the columns of a terminal, which need not be the standard output of this process."""
    try:
        found = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        found = 0
    # A terminal may not know its size.
    return found or shutil.get_terminal_size().columns


def ssh_may_ask(progress: Progress) -> bool:
    """Tell whether ssh may be asking whether to trust a host: drawing would erase the question."""
    return progress.step.name == FIRST and any(host != "localhost" for host in progress.hosts)


def running(progress: Progress, now: float) -> str:
    """Return how a step goes on: "Provide the base image, 20 s: downloading 5 of 12 packages"."""
    text = progress.step.name + took(progress.seconds(now))
    said = [work.doing for work in progress.hosts.values() if work.doing]
    # What several hosts say stands beside their names.
    doing = progress.doing if not said else said[0] if len(progress.hosts) == 1 else ""
    return text if doing in ("", progress.step.name) else f"{text}: {doing}"


def took(seconds: int) -> str:
    """Return a duration as the end of a line; nothing where it is below a second."""
    return f", {seconds} s" if seconds else ""


def on_host(text: str, host: str) -> str:
    """Return a text with the host that it is about, where one is named."""
    return f"{text} on {host}" if host else text


def busy_hosts(progress: Progress) -> str:
    """Return what the hosts that still work say, those that say the same together, where there are several."""
    saying: Dict[str, List[str]] = {}
    for host, work in sorted(progress.hosts.items()):
        if work.busy:
            saying.setdefault(work.doing, []).append(host)
    # What most hosts do comes first, since the line may have an end.
    groups = sorted(saying.items(), key=lambda group: -len(group[1]))
    told = "; ".join(
        f"{named(hosts)}: {doing}" if doing else named(hosts) for doing, hosts in groups
    )
    if len(progress.hosts) == 1 or not told:
        return ""
    return f" ({told if len(told) <= BUSY_LENGTH else f'{told[: BUSY_LENGTH - 1]}…'})"


def named(hosts: Sequence[str]) -> str:
    """Return the names of the first hosts, and how many more there are."""
    more = [f"{len(hosts) - HOSTS_IN_LINE} more"] if len(hosts) > HOSTS_IN_LINE else []
    return ", ".join([*hosts[:HOSTS_IN_LINE], *more])


def host_lines(progress: Progress) -> List[str]:
    """Return a line for each host of several: which ones wait for the others is seen at a glance."""
    if len(progress.hosts) == 1:
        return []
    width = max(map(len, progress.hosts), default=0)
    lines = [
        f"    {host:{width}}  {state_of(work)}" for host, work in sorted(progress.hosts.items())
    ]
    more = len(lines) - HOST_LINES
    return lines if more <= 0 else [*lines[:HOST_LINES], f"    … and {more} more"]


def state_of(work: HostWork) -> str:
    """Return how far a host is in the current step."""
    if work.failed:
        return "failed"
    return (work.doing or "at work") if work.busy else "done"
