"""Find the release to go back to: the host's history knows which were good."""

from __future__ import annotations

from typing import List, Sequence

from ..base.docker import Docker
from ..base.errors import ClassvmError
from .history import Entry

PREVIOUS = "previous"


def resolve(docker: Docker, entries: Sequence[Entry], asked: str, live: str) -> Entry:
    """Return the last attempt that made the asked release live, and whose image is still here.

    Going back twice leads to where one was before, as `cd -` does: the release that was just
    left is then the last one in the history that is not live.

    Args:
        docker: the engine of the host.
        entries: the history of the service, the oldest first.
        asked: id of a release, or ``PREVIOUS``: the last one that is not live now.
        live: id of the release that is live, or "".

    Raises:
        ClassvmError: there is no such release; the text tells why.

    """
    good = [entry for entry in reversed(entries) if entry.went_live]
    if asked == PREVIOUS:
        return _previous(docker, [entry for entry in good if entry.release != live])
    named = [entry for entry in good if entry.release == asked]
    if not named:
        raise ClassvmError(_unknown(entries, asked))
    if docker.image(named[0].image) is None:
        raise ClassvmError(
            f"The image of release {asked} is no longer on this host. Deploy what it was made of:"
            f" {_sources(named[0])}. `make releases` shows those that are here.",
        )
    return named[0]


def _previous(docker: Docker, good: List[Entry]) -> Entry:
    for entry in good:
        if docker.image(entry.image) is not None:
            return entry
    reason = (
        "the images of all earlier releases are gone" if good else "there is no earlier release"
    )
    raise ClassvmError(f"Nothing to roll back to: {reason}; `make releases` shows the history.")


def _unknown(entries: Sequence[Entry], asked: str) -> str:
    refused = [entry for entry in entries if entry.release == asked]
    if refused:
        return (
            f"Release {asked} was never live here, it was refused: {refused[-1].reason}."
            " `make releases` shows which were live."
        )
    return f"Release {asked} was never on this host; `make releases` shows which were live."


def _sources(entry: Entry) -> str:
    return f"git revision {entry.revision}" if entry.revision else "a checkout of its sources"
