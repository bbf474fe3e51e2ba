"""The locks that this process holds, for programs that go on with its work when it is killed.

With these descriptors they hold the locks until they end: the next run does not find their work half done.
"""

from __future__ import annotations

import contextlib
from typing import Collection, Iterator, List, Sequence

_descriptors: List[int] = []


@contextlib.contextmanager
def noted(descriptor: int) -> Iterator[None]:
    """Note the descriptor of a lock while this process holds it."""
    _descriptors.append(descriptor)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # a process of its own has kept others
            _descriptors.remove(descriptor)


def keep_only(kept: Collection[int]) -> None:
    """Note that this process, a copy of the one that holds the locks, has closed all descriptors but these."""
    _descriptors[:] = [one for one in _descriptors if one in kept]


def descriptors() -> Sequence[int]:
    """Return those of all locks that this process holds now."""
    return tuple(_descriptors)
