"""Find the rollback target in the host's history, which tells which releases were live."""

from __future__ import annotations

from typing import List, Sequence

from ..base.docker import Docker
from ..base.errors import ClassvmError
from .history import Entry

PREVIOUS = "previous"


def resolve(docker: Docker, entries: Sequence[Entry], requested: str, live: str) -> Entry:
    """Return the last attempt that made the requested release live and whose image is still here.

    Two rollbacks to ``PREVIOUS`` lead back to the first release, as `cd -` does: the release that
    the first one left is then the last one in the history that is not live.

    Args:
        docker: the engine of the host.
        entries: the history of the service, the oldest first.
        requested: id of a release, or ``PREVIOUS``: the last one that is not live now.
        live: id of the release that is live, or "".

    Raises:
        ClassvmError: there is no such release; the text tells why.

    """
    if not entries:
        raise ClassvmError(
            "Nothing to roll back to: no release is in the history of this host",
            fix="`make deploy` brings the first one.",
        )
    good = [entry for entry in reversed(entries) if entry.went_live]
    if requested == PREVIOUS:
        return _previous(docker, [entry for entry in good if entry.release != live])
    named = [entry for entry in good if entry.release == requested]
    if not named:
        raise ClassvmError(
            _unknown(entries, requested), fix="`make releases` shows which were live."
        )
    if docker.image(named[0].image) is None:
        raise ClassvmError(
            f"The image of release {requested} is no longer on this host",
            fix=f"Deploy what it was made of: {_sources(named[0])}."
            " `make releases` shows those that are here.",
        )
    return named[0]


def _previous(docker: Docker, good: List[Entry]) -> Entry:
    for entry in good:
        if docker.image(entry.image) is not None:
            return entry
    reason = (
        "the images of all earlier releases are gone" if good else "there is no earlier release"
    )
    raise ClassvmError(
        f"Nothing to roll back to: {reason}", fix="`make releases` shows the history."
    )


def _unknown(entries: Sequence[Entry], requested: str) -> str:
    refused = [entry for entry in entries if entry.release == requested]
    if refused:
        return f"Release {requested} was never live here, it was refused: {refused[-1].reason}"
    return f"Release {requested} was never on this host"


def _sources(entry: Entry) -> str:
    return f"git revision {entry.revision}" if entry.revision else "a checkout of its sources"
