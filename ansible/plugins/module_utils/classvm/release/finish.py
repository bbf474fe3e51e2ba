"""What is left to do when a new release serves: in the caller's process, or in one of its own."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Optional, Sequence, TextIO

from ..base import background, locks, state
from ..base.errors import ClassvmError
from . import gap, history
from .prune import prune
from .swap import Swap


@dataclass(frozen=True)
class Done:
    """What became of it: the entry of the attempt, and the images of old releases that were removed."""

    entry: history.Entry
    removed: Sequence[str] = ()


@dataclass(frozen=True)
class Rest:
    """The rest of an attempt whose release serves.

    Attributes:
        strategy: by which it went live.
        entry: of the attempt, as far as it is known.
        keep: how many earlier releases keep their images; None removes none.

    """

    strategy: Swap
    entry: history.Entry
    keep: Optional[int]

    def later(self, lock: TextIO) -> bool:
        """Have it done in a process of its own, which holds the host's lock until it ends.

        Returns:
            Whether there is such a process. The history tells what becomes of it.

        """

        def work() -> None:
            locks.sign(lock)
            self.now()

        try:
            background.run(work, keep=[lock.fileno()])
        except OSError:
            return False
        return True

    def now(self) -> Done:
        """Do it.

        Raises:
            ClassvmError: the new release ended, and the former one serves again; or something of the
                former one is left.

        """
        entry = self._settled()
        self._retire(entry)
        return Done(entry, self._pruned())

    def _settled(self) -> history.Entry:
        """Take the attempt to where the former release is not needed any more."""
        strategy = self.strategy
        watch = gap.Watch(strategy.spec.host_port, poll_seconds=strategy.poll_seconds)
        try:
            if not strategy.serves_early:
                strategy.settle()
                return self.entry
            with watch:
                strategy.settle()
        except BaseException as reason:
            strategy.discard()
            entry = measured(self.entry, watch, strategy.served)
            record_refusal(strategy.edge.state_dir, entry, reason)
            raise
        return measured(self.entry, watch, strategy.served)

    def _retire(self, entry: history.Entry) -> None:
        """Remove the former release and record that the new one is live.

        Clean-up does not affect clients, so it is not measured.
        """
        try:
            self.strategy.retire()
            entry = dataclasses.replace(entry, alone=state.now())
        except ClassvmError as reason:
            raise ClassvmError(
                f"Release {entry.release} is live, but the former one is still there: {reason.cause}",
                fix="The next `make deploy` removes it.",
                details=reason.details,
            ) from reason
        finally:
            record_live(self.strategy.edge.state_dir, entry)

    def _pruned(self) -> Sequence[str]:
        if self.keep is None:
            return ()
        docker, spec = self.strategy.docker, self.strategy.spec
        entries = history.read(self.strategy.edge.state_dir, spec.service)
        return prune(docker, entries, spec.service, spec.image, self.keep)


def measured(entry: history.Entry, watch: gap.Watch, served: str) -> history.Entry:
    """Return the entry with what one more watch has seen, and when the release served."""
    gaps = [one for one in (entry.gap, watch.gap) if one is not None]
    longest = round(max(gaps), 3) if gaps else None
    seconds = round(entry.seconds + watch.seconds, 3)
    return dataclasses.replace(entry, gap=longest, seconds=seconds, served=served)


def record_live(state_dir: str, entry: history.Entry) -> None:
    """Record an attempt whose release is live.

    Raises:
        ClassvmError: the history cannot be written.

    """
    try:
        history.finish(state_dir, entry)
    except ClassvmError as unwritten:
        raise ClassvmError(
            f"Release {entry.release} is live, but the history does not show it: {unwritten.cause}",
            fix=unwritten.fix,
            details=unwritten.details,
        ) from unwritten


def record_refusal(state_dir: str, entry: history.Entry, reason: BaseException) -> None:
    """Record an attempt that failed, or was interrupted.

    Raises:
        ClassvmError: the history cannot be written.

    """
    is_text = isinstance(reason, (ClassvmError, SystemExit))
    text = str(reason) if is_text else f"interrupted: {reason!r}"
    try:
        history.finish(state_dir, entry.refused(text))
    except ClassvmError as unwritten:
        raise ClassvmError(f"{text}\n{unwritten}") from reason
