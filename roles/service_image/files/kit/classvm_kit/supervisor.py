"""Run a program that serves by itself, and make its port the one that Docker publishes."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import List

from . import relay


def run(words: List[str], port: int) -> int:
    """Run `python WORDS`, relay to the port that it opens; return the exit code.

    Args:
        words: what stands behind `python` on a command line.
        port: the port that it is expected to open, 0 if that is not known.

    """
    program = subprocess.Popen([sys.executable, *words])  # noqa: S603 - the student's program
    signal.signal(signal.SIGTERM, lambda *_: program.terminate())
    relay.start(port, relay.PATIENCE_SECONDS if port else 1.0)
    code = program.wait()
    if code == -signal.SIGTERM:
        return 0
    # As shells say it: 128 and the number of the signal that ended it.
    return code if code >= 0 else 128 - code
