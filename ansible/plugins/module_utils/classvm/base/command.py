"""Run other programs and keep their output."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from typing import Mapping, Optional, Sequence

from .errors import ClassvmError

LAST_LINES = 20
LINE_LENGTH = 300
# The words by which programs begin the reason of a failure, and what tells nothing.
TELLING = re.compile(
    r"(?i)^E: |\b(error|fatal|cannot|could not|invalid|denied|failed|no such|not found)\b"
)
PREAMBLE = re.compile(r"^(?:[\w./-]+: )?(?:(?:Error response from daemon|Error|E|fatal): )+")
HINT = re.compile(r"^(?:See '|Run '|\^+$)")


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

    def reason(self) -> str:
        """Return the line of the output that tells why it failed."""
        lines = [line.strip() for line in (self.out + self.err).splitlines()]
        said = [line for line in lines if line and not HINT.match(line)]
        telling = [line for line in said if TELLING.search(line)]
        line = next(iter(telling or said[-1:]), f"it ended with exit code {self.code}")
        return PREAMBLE.sub("", line)[:LINE_LENGTH]


class TimeLimitError(ClassvmError):
    """A program ran longer than it was given."""


class CommandError(ClassvmError):
    """A program that had to succeed failed."""

    def __init__(self, finished: Finished, cause: str = "") -> None:
        """Compose the message: what did not work and why; the command line is a detail.

        Args:
            finished: the program that failed.
            cause: what did not work, such as "The image was not pulled"; "" names the program.

        """
        self.finished = finished
        command = " ".join(shlex.quote(word) for word in finished.argv)
        what = cause or f"{os.path.basename(finished.argv[0])} failed"
        super().__init__(
            f"{what}: {finished.reason()}",
            details=f"`{command}` ended with exit code {finished.code}:\n{finished.last_lines()}",
        )


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
        raise ClassvmError(
            f"{argv[0]} is not installed on this machine",
            fix="`make provision`, as an admin, installs what a class VM needs.",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise TimeLimitError(
            f"{argv[0]} did not end within {timeout:.0f} s",
            fix="Run the command again; `make doctor` tells what may be in the way.",
        ) from error
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
