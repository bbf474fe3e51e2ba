"""What was tried on a host and what became of it: one line of JSON per attempt.

The file only grows. A swap writes down beforehand what it is about to do, in a journal; so
the line is written even when the machine dies in between: by the next run, which sees what
became of it.
"""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional

from ..base import state

FILE = "releases.jsonl"
LIVE = "live"
REFUSED = "refused"
ROLLED_BACK = "rolled back"
REASON_LENGTH = 200


@dataclass(frozen=True)
class Entry:
    """One attempt to make a release live.

    Attributes:
        time: when it began, UTC, ISO 8601.
        service: name of the service.
        release: id of the release.
        image: name of its image.
        image_id: id of its image; "" when it was not there.
        settings: digest of how it was to run.
        revision: git revision of the service's folder, "-dirty" when it was changed, or "".
        who: account of the host.
        replaced: the release that was live before, or "".
        result: ``LIVE``, ``REFUSED``, or ``ROLLED_BACK``: live because somebody went back to it.
        reason: first line of why it was refused, or "".
        gap: longest time without an answer, in seconds; None where nobody answered before,
            or nobody could measure.
        seconds: how long the swap took; 0 when there was none.

    """

    time: str = ""
    service: str = ""
    release: str = ""
    image: str = ""
    image_id: str = ""
    settings: str = ""
    revision: str = ""
    who: str = ""
    replaced: str = ""
    result: str = LIVE
    reason: str = ""
    gap: Optional[float] = None
    seconds: float = 0.0

    @property
    def went_live(self) -> bool:
        """Whether the release was live from then on."""
        return self.result in (LIVE, ROLLED_BACK)

    def refused(self, reason: str) -> Entry:
        """Return the attempt as one that failed; of the reason, the first line is kept."""
        first = (reason.strip().splitlines() or [""])[0]
        return dataclasses.replace(self, result=REFUSED, reason=first[:REASON_LENGTH])


def read(state_dir: str, service: str) -> List[Entry]:
    """Return the attempts of a service, the oldest first; torn lines are left out."""
    lines = state.read(_history(state_dir)).splitlines()
    entries = [entry for entry in map(_parsed, lines) if entry is not None]
    return [entry for entry in entries if entry.service == service]


def intend(state_dir: str, entry: Entry) -> None:
    """Write down what is about to be swapped in."""
    state.write_atomically(_journal(state_dir, entry.service), _line(entry))


def finish(state_dir: str, entry: Entry) -> None:
    """Record what became of an attempt, whether it was written down beforehand or not."""
    _append(_history(state_dir), _line(entry))
    state.remove(_journal(state_dir, entry.service))


def settle(state_dir: str, service: str, outcome: Callable[[Entry], Entry]) -> bool:
    """Record what became of a swap that was cut off; return whether there was one.

    Args:
        state_dir: folder with the host's state.
        service: name of the service.
        outcome: takes the attempt and returns it with its result.

    """
    entry = _parsed(state.read(_journal(state_dir, service)))
    if entry is None:
        return False
    # Cut off after the line was written: the journal is all that is left over.
    if any(
        (one.time, one.release) == (entry.time, entry.release) for one in read(state_dir, service)
    ):
        state.remove(_journal(state_dir, service))
    else:
        finish(state_dir, outcome(entry))
    return True


def _history(state_dir: str) -> str:
    return os.path.join(state_dir, FILE)


def _journal(state_dir: str, service: str) -> str:
    return os.path.join(state_dir, f"swap-{service}.json")


def _line(entry: Entry) -> str:
    return json.dumps(dataclasses.asdict(entry)) + "\n"


def _append(path: str, line: str) -> None:
    before = state.read(path)
    # The beginning of a line that a dead machine could not finish must not spoil this one.
    torn = bool(before) and not before.endswith("\n")
    state.append(path, ("\n" if torn else "") + line)


def _parsed(line: str) -> Optional[Entry]:
    """Return the attempt of a line, None for a torn one; what is not known is left at its default."""
    try:
        found: Dict[str, Any] = json.loads(line)
        known = {field.name for field in dataclasses.fields(Entry)}
        return Entry(**{key: value for key, value in found.items() if key in known})
    except (ValueError, AttributeError):
        return None
