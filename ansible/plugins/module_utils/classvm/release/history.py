"""The history of a host: one line of JSON for each attempt to make a release live.

The file only grows. Before a swap, the attempt is written to a journal. So it gets its line even
when the machine dies during the swap: the next run sees which release is live and writes the line.
"""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional

from ..base import state
from ..base.legible import printable

FILE = state.HISTORY
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
        settings: digest of the settings with which it was to run.
        revision: git revision of the app's folder, "-dirty" when it was changed, or "".
        who: account of the host.
        replaced: the release that was live before, or "".
        result: ``LIVE``, ``REFUSED``, or ``ROLLED_BACK``: live because of a rollback.
        reason: first line of why it was refused, or "".
        gap: longest time without an answer, in seconds; None where the port did not answer
            before, or the swap was interrupted.
        seconds: how long the swap took; 0 when there was none.
        served: when new requests began to go to it, UTC, ISO 8601; "" when none ever did.
        alone: when the former release was gone, UTC, ISO 8601, or "".

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
    served: str = ""
    alone: str = ""

    @property
    def went_live(self) -> bool:
        """Whether the release was live from then on."""
        return self.result in (LIVE, ROLLED_BACK)

    def refused(self, reason: str) -> Entry:
        """Return the attempt as one that failed; of the reason, the first line is kept."""
        first = (reason.strip().splitlines() or [""])[0]
        return dataclasses.replace(self, result=REFUSED, reason=printable(first[:REASON_LENGTH]))


def read(state_dir: str, service: str) -> List[Entry]:
    """Return the attempts of a service, the oldest first; lines that are not legible are left out.

    Raises:
        ClassvmError: the file cannot be read, or is not a file.

    """
    lines = state.read(_history(state_dir)).splitlines()
    entries = [entry for entry in map(_parsed, lines) if entry is not None]
    return [entry for entry in entries if entry.service == service]


def remark(state_dir: str, service: str, live: str) -> str:
    """Return what the file does not show, and what to do; "" where it is complete.

    Args:
        state_dir: folder with the host's state.
        service: name of the service.
        live: id of the live release, or "".

    Raises:
        ClassvmError: as `read`.

    """
    path = _history(state_dir)
    lines = state.read(path).splitlines()
    illegible = [
        str(number) for number, line in enumerate(lines, 1) if line.strip() and not _parsed(line)
    ]
    if illegible:
        some = f"line {illegible[0]}" if len(illegible) == 1 else f"lines {', '.join(illegible)}"
        return (
            f"{path} is damaged: {some} cannot be read and {'is' if len(illegible) == 1 else 'are'}"
            f" left out. Restore the file from a copy, or go on without: `sed -n {illegible[0]}p"
            f" {path}` shows what is left."
        )
    if not live or any(one.release == live for one in read(state_dir, service) if one.went_live):
        return ""
    state_of = "does not show it" if lines else "is missing"
    return f"Release {live} is live, but {path} {state_of}; `make deploy` of it writes its line."


def intend(state_dir: str, entry: Entry) -> None:
    """Write to the journal which release is about to become live."""
    state.write_atomically(_journal(state_dir, entry.service), _line(entry))


def intended(state_dir: str, service: str) -> Optional[Entry]:
    """Return the attempt that stands in the journal: its swap is under way, or was cut off."""
    return _parsed(state.read(_journal(state_dir, service)))


def finish(state_dir: str, entry: Entry) -> None:
    """Record an attempt with its result, whether it stands in the journal or not."""
    _append(_history(state_dir), _line(entry))
    state.remove(_journal(state_dir, entry.service))


def add(state_dir: str, entry: Entry) -> None:
    """Record an attempt that never came to a swap; another one's journal is left alone."""
    _append(_history(state_dir), _line(entry))


def settle(state_dir: str, service: str, outcome: Callable[[Entry], Entry]) -> bool:
    """Record the result of an interrupted swap; return whether there was one.

    Args:
        state_dir: folder with the host's state.
        service: name of the service.
        outcome: takes the attempt and returns it with its result.

    """
    entry = intended(state_dir, service)
    if entry is None:
        return False
    # Interrupted after the line was written: only the journal is left.
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
    return os.path.join(state_dir, f"{state.JOURNAL}{service}.json")


def _line(entry: Entry) -> str:
    return json.dumps(dataclasses.asdict(entry)) + "\n"


def _append(path: str, line: str) -> None:
    before = state.read(path)
    # The beginning of a line that a machine wrote while it died must not spoil this one.
    torn = bool(before) and not before.endswith("\n")
    state.append(path, ("\n" if torn else "") + line)


def _parsed(line: str) -> Optional[Entry]:
    """Return the attempt of a line, None for one that is not legible; unknown keys are left out."""
    try:
        found: Dict[str, Any] = json.loads(line)
        known = {field.name for field in dataclasses.fields(Entry)}
        entry = Entry(**{key: value for key, value in found.items() if key in known})
    except (ValueError, AttributeError, RecursionError):
        return None
    return entry if _has_valid_types(entry) else None


def _has_valid_types(entry: Entry) -> bool:
    """Tell whether each value has the type that its field declares, which JSON does not ensure."""
    values = dataclasses.asdict(entry)
    numbers = [values.pop("seconds"), values.pop("gap") or 0]
    return all(isinstance(one, str) for one in values.values()) and all(
        type(one) in (int, float) for one in numbers
    )
