"""Ctrl-C and the end of the control process: what a run on the control node does then."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
from typing import Callable, NoReturn

# What a shell reports of a program that Ctrl-C has ended.
EXIT_STATUS = 130
# So long Ansible may take to leave.
ORDERLY_SECONDS = 5.0
TEXT = (
    "Interrupted: a build or a check on a host ends with this run; a swap or an installation that has begun"
    " goes on there to its end. `make status` tells how it stands."
)
# Of prctl(2): the signal that a process gets when its parent ends.
PR_SET_PDEATHSIG = 1


def workers_end_with_this_process() -> None:
    """Have each process that is forked from now on terminated when this one ends, in whatever way.

    A worker that outlives a killed run would go on with its host, for nobody.
    """
    library, parent = ctypes.CDLL(None), os.getpid()

    def end_with_parent() -> None:
        library.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it has ended before
            os._exit(1)

    os.register_at_fork(after_in_child=end_with_parent)


def on_interrupt(say: Callable[[], None]) -> None:
    """Have Ctrl-C end the run within seconds, with the usual exit status, after its workers were told."""
    before = signal.getsignal(signal.SIGINT)

    def end(number: int, frame: object) -> NoReturn:
        if callable(before):  # Ansible's own tells the workers
            with contextlib.suppress(KeyboardInterrupt):
                before(number, frame)  # type: ignore[arg-type] # a handler of Python takes any frame
        # A worker that was ended while it held a lock of Ansible's would keep this process for ever.
        forced = threading.Timer(ORDERLY_SECONDS, os._exit, [EXIT_STATUS])
        forced.daemon = True
        forced.start()
        # Ctrl-C may have come while something was printed.
        with contextlib.suppress(RuntimeError, OSError):
            say()
            sys.stdout.flush()
        raise SystemExit(EXIT_STATUS)

    signal.signal(signal.SIGINT, end)
