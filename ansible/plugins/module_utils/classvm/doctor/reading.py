"""What the checks read of a machine; none of it waits for ever."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Callable, Optional, Sequence

from ..base import command, docker
from ..base.command import Finished
from ..base.errors import ClassvmError

PATIENCE = 20  # seconds that a command may take before it counts as hanging

Run = Callable[[Sequence[str]], Finished]


class Engine(docker.Docker):
    """The engine of this machine, asked with patience that ends."""

    def run(self, *words: str, stdin: Optional[bytes] = None) -> Finished:
        """Run `docker WORDS`.

        Raises:
            ClassvmError: there is no client, or no answer within ``PATIENCE`` seconds.

        """
        return self.run_within(PATIENCE, *words, stdin=stdin)

    def check(self, *words: str, stdin: Optional[bytes] = None) -> str:
        """Run `docker WORDS`, which has to succeed, and return its output."""
        finished = self.run(*words, stdin=stdin)
        if finished.code:
            raise command.CommandError(finished)
        return finished.out


def run(argv: Sequence[str]) -> Finished:
    """Run a command; one that is missing or hangs gets the exit status of a missing one."""
    try:
        return command.run(argv, timeout=PATIENCE)
    except (ClassvmError, OSError) as problem:
        return Finished(argv, 127, "", str(problem))


def read(path: Path) -> str:
    """Return the text of the file at `path`, or "" when it cannot be read."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def parse_settings(text: str) -> dict[str, str]:
    """Return the NAME=value lines of `text`, without quotes around the values."""
    pairs = re.findall(r"^(\w+)=(.*)$", text, flags=re.MULTILINE)
    return {name: value.strip().strip("\"'") for name, value in pairs}
