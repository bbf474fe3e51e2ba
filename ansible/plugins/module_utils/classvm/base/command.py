"""Run other programs and keep their output."""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass
from typing import Mapping, Optional, Sequence

from .errors import ClassvmError

LAST_LINES = 20
LINE_LENGTH = 300


@dataclass(frozen=True)
class Finished:
    """The result of a program that has ended.

    Attributes:
        argv: the command line, one string per argument.
        code: its exit code; 0 means success.
        out: its standard output as text.
        err: its standard error as text.

    """

    argv: Sequence[str]
    code: int
    out: str
    err: str

    def last_lines(self) -> str:
        """Return the end of the output, where programs report the reason of a failure."""
        lines = (self.out + self.err).strip().splitlines()
        return "\n".join(line[:LINE_LENGTH] for line in lines[-LAST_LINES:])


class CommandError(ClassvmError):
    """A program that had to succeed failed."""

    def __init__(self, finished: Finished) -> None:
        """Compose the message from the command line and the end of its output."""
        self.finished = finished
        command = " ".join(shlex.quote(word) for word in finished.argv)
        super().__init__(f"`{command}` failed ({finished.code}):\n{finished.last_lines()}")


def run(
    argv: Sequence[str],
    *,
    stdin: Optional[bytes] = None,
    env: Optional[Mapping[str, str]] = None,
    timeout: Optional[float] = None,
) -> Finished:
    """Run a program to its end and return its output, whatever its exit code.

    Args:
        argv: program and arguments; no shell is involved.
        stdin: bytes for its standard input; without them it is empty.
        env: variables added to the present environment.
        timeout: seconds after which it is killed.

    Raises:
        ClassvmError: the program is not installed, or ran longer than ``timeout``.

    """
    try:
        done = subprocess.run(  # noqa: S603 - argv is a list, no shell reads it
            list(argv),
            input=stdin if stdin is not None else b"",
            capture_output=True,
            env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})},
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise ClassvmError(f"{argv[0]} is not installed on this machine") from error
    except subprocess.TimeoutExpired as error:
        raise ClassvmError(f"{argv[0]} did not end within {timeout:.0f} s") from error
    return Finished(
        argv=argv,
        code=done.returncode,
        out=done.stdout.decode(errors="replace"),
        err=done.stderr.decode(errors="replace"),
    )


def check(
    argv: Sequence[str],
    *,
    stdin: Optional[bytes] = None,
    env: Optional[Mapping[str, str]] = None,
    timeout: Optional[float] = None,
) -> str:
    """Run a program that has to succeed and return its standard output.

    Raises:
        CommandError: the program ended with an exit code other than 0.
        ClassvmError: as ``run``.

    """
    finished = run(argv, stdin=stdin, env=env, timeout=timeout)
    if finished.code:
        raise CommandError(finished)
    return finished.out
