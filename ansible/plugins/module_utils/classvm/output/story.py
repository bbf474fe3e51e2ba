"""The story of a run: what the hosts do, and when a person is told."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Set

from .steps import Step, step_of

# A step that changed nothing and was quicker than this leaves no line.
WORTH_A_LINE_SECONDS = 5.0
# Lines of a message that are shown; the log has all.
MESSAGE_LINES = 60


@dataclass
class HostWork:
    """What a host does in the current step.

    Attributes:
        busy: whether a task of it runs.
        changed: whether a task of the step changed something.
        failed: whether it failed in this step.
        doing: what is going on, as its module says; "" where it says nothing.

    """

    busy: bool = True
    changed: bool = False
    failed: bool = False
    doing: str = ""


@dataclass
class Progress:
    """The current step.

    Attributes:
        step: its name, and whether its result is kept.
        began: when, in seconds of the story's clock.
        doing: what is going on in it: the name of the current task.
        hosts: by name what each host does.

    """

    step: Step
    began: float
    doing: str = ""
    hosts: Dict[str, HostWork] = field(default_factory=dict)

    def seconds(self, now: float) -> int:
        """Return for how long it has been going on."""
        return int(now - self.began)

    def is_worth_a_line(self, now: float) -> bool:
        """Tell whether its result stays on the screen."""
        succeeded = [work for work in self.hosts.values() if not work.failed]
        if not self.step.kept or not succeeded:
            return False
        changed = any(work.changed for work in succeeded)
        return changed or now - self.began >= WORTH_A_LINE_SECONDS


class Screen:
    """Where the story is told; this one shows nothing."""

    def say(self, text: str) -> None:
        """Show text that stays."""

    def show(self, progress: Progress, now: float) -> None:
        """Show the current step, which is still going on. Called several times a second."""

    def done(self, progress: Progress, now: float) -> None:
        """Show the result of a step that succeeded, where it is worth a line."""

    def failed(self, progress: Progress, now: float, host: str) -> None:
        """Show that a step failed. "" is the only host of the play."""

    def clear(self) -> None:
        """Take away what does not stay."""


class Story:
    """Turns the events of a run into what a person is told."""

    def __init__(
        self,
        screen: Screen,
        clock: Callable[[], float] = time.monotonic,
        said_by: Callable[[str], str] = lambda _: "",
    ) -> None:
        """Begin without a step.

        Args:
            screen: where the story is told.
            clock: seconds that pass.
            said_by: tells what the module of a host says of its work, "" where it says nothing.

        """
        self.screen = screen
        self._said_by = said_by
        self._clock = clock
        self._steps: Mapping[str, Step] = {}
        self._play = ""
        self._progress: Optional[Progress] = None
        self._hosts: Set[str] = set()
        self._asks = False
        self._notes: Set[str] = set()
        self._told: Dict[str, str] = {}

    def play(self, name: str, steps: Mapping[str, Step]) -> None:
        """Begin a play."""
        self.end_step()
        self._play, self._steps = name, steps

    def task(self, names: Sequence[str], *, asks: bool = False) -> None:
        """Begin a task.

        Args:
            names: of the play's entry, of what includes the task, ..., of the task itself.
            asks: whether it asks the person something, so that the terminal is theirs.

        """
        step = step_of(names, self._steps, self._play)
        if self._progress is None or self._progress.step != step:
            self.end_step()
            self._progress = Progress(step, self._clock())
        self._progress.doing = names[-1]
        self._asks = asks
        if asks:
            self.screen.clear()

    def started(self, host: str) -> None:
        """Note that a host begins the task."""
        self._hosts.add(host)
        if self._progress is not None:
            self._progress.hosts.setdefault(host, HostWork()).busy = True

    def ended(self, host: str, *, changed: bool = False, notes: Iterable[str] = ()) -> None:
        """Note that a host has ended the task, and show what its result says to a person."""
        if self._progress is not None:
            work = self._progress.hosts.setdefault(host, HostWork())
            work.busy = False
            work.changed = work.changed or changed
        # Several hosts have the same app, and each says the same of it.
        for note in notes:
            if note not in self._notes:
                self._notes.add(note)
                self.screen.say(f"  {note}")

    def difference(self, host: str, lines: Sequence[str]) -> None:
        """Show what the current task changes on a host.

        Args:
            host: its name.
            lines: what was and what will be, as `diff` writes it.

        """
        what = self._progress.doing if self._progress is not None else ""
        self.screen.say(f"  {what} on {host}:" if len(self._hosts) > 1 else f"  {what}:")
        self._say_once(host, lines)

    def failed(self, host: str, details: Sequence[str]) -> None:
        """Show once why a host failed.

        Args:
            host: its name.
            details: the lines below the cause, which stands in the closing line.

        """
        self.ended(host)
        if self._progress is not None:
            self._progress.hosts[host].failed = True
            self.screen.failed(self._progress, self._clock(), host if len(self._hosts) > 1 else "")
        if details:
            self._say_once(host, details)

    def _say_once(self, host: str, lines: Sequence[str]) -> None:
        same = self._told.setdefault("\n".join(lines), host)
        for line in shown(lines) if same == host else [f"the same as on {same}"]:
            self.screen.say(f"  {line}" if line else "")

    def tick(self) -> None:
        """Show how the current step goes on. Called several times a second."""
        if self._progress is not None and not self._asks:
            for host, work in self._progress.hosts.items():
                work.doing = self._said_by(host) if work.busy else ""
            self.screen.show(self._progress, self._clock())

    def end_step(self) -> None:
        """Show the result of the current step."""
        if self._progress is not None:
            self.screen.clear()
            if self._progress.is_worth_a_line(self._clock()):
                self.screen.done(self._progress, self._clock())
        self._progress = None
        self._asks = False


def shown(lines: Sequence[str]) -> List[str]:
    """Return the lines of a message that a person is shown: all, or the first and the last ones."""
    if len(lines) <= MESSAGE_LINES:
        return list(lines)
    half = MESSAGE_LINES // 2
    left_out = len(lines) - 2 * half
    return [*lines[:half], f"… {left_out} lines, which the log has …", *lines[-half:]]
