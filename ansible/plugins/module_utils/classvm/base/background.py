"""Go on with some work in a process of its own, when the caller has its answer already."""

from __future__ import annotations

import contextlib
import os
from typing import Callable, Collection

from . import held_locks, progress

STANDARD = (0, 1, 2)
OPEN_FILES = "/proc/self/fd"


def run(work: Callable[[], object], keep: Collection[int] = ()) -> None:
    """Start some work in a process of its own; return without waiting for it.

    The process has a session of its own and nothing open but what it keeps: neither the end of a
    connection nor Ctrl-C ends it, and no connection stays open because of it. Threads of the caller do
    not exist there, so there should be none. Nobody hears of an error: the work has to record its own.

    Args:
        work: what is to be done.
        keep: descriptors that stay open there, such as one that holds a lock.

    Raises:
        OSError: no process can be started.

    """
    # In two steps, so that nobody is its parent who would have to wait for it.
    first = os.fork()
    if first == 0:
        _begin(work, keep)
    _, status = os.waitpid(first, 0)
    if status:
        raise ChildProcessError("no process can be started")


def _begin(work: Callable[[], object], keep: Collection[int]) -> None:
    """Leave the caller's session, start the process, and end; nothing of the caller runs in it."""
    code = 1
    with contextlib.suppress(BaseException):
        os.setsid()
        code = 0 if os.fork() else _work(work, keep)
    os._exit(code)


def _work(work: Callable[[], object], keep: Collection[int]) -> int:
    progress.silence()
    _close_all_but(keep)
    held_locks.keep_only(keep)
    work()
    return 0


def _close_all_but(keep: Collection[int]) -> None:
    """Close what the caller has open; what the work reads or writes as its own is nothing."""
    null = os.open(os.devnull, os.O_RDWR)
    for one in STANDARD:
        os.dup2(null, one)
    for one in map(int, os.listdir(OPEN_FILES)):
        if one not in STANDARD and one not in keep:
            # The one that has listed them is closed already.
            with contextlib.suppress(OSError):
                os.close(one)
