"""Run other programs and keep their output."""

from __future__ import annotations

import contextlib
import math
import os
import re
import shlex
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import IO, Any, Callable, List, Mapping, NamedTuple, Optional, Sequence

from .errors import ClassvmError

LOCALE = {"LC_ALL": "C.UTF-8"}
LAST_LINES = 20
LINE_LENGTH = 300
# How often somebody looks who watches a program.
LOOK_SECONDS = 0.5
LONGEST_LINE = 1 << 16
# The words by which programs begin the reason of a failure, and what tells nothing.
TELLING = re.compile(
    r"(?i)^E: |\b(error|fatal|cannot|could not|invalid|denied|failed|no such|not found)\b"
)
PREAMBLE = re.compile(r"^(?:[\w./-]+: )?(?:(?:Error response from daemon|Error|E|fatal): )+")
HINT = re.compile(r"^(?:See '|Run '|\^+$)")


USUAL_UMASK = 0o022


def use_usual_umask() -> None:
    """Let everybody read what root makes here, and what the programs make that it starts.

    On a host whose umask is 077, packages, images and settings would be for root alone.
    """
    os.umask(USUAL_UMASK)


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


def time_limit(program: str, seconds: float) -> TimeLimitError:
    """Return the error of a program that ran longer than it was given."""
    return TimeLimitError(
        f"{program} did not end within {seconds:.0f} s",
        fix="Run the command again; `make doctor` tells what may be in the way.",
    )


class CommandError(ClassvmError):
    """A program that had to succeed failed."""

    def __init__(self, finished: Finished, cause: str = "", *, fix: str = "") -> None:
        """Compose the message: what did not work and why; the command line is a detail.

        Args:
            finished: the program that failed.
            cause: what did not work, such as "The image was not pulled"; "" names the program.
            fix: what to do next, or "".

        """
        self.finished = finished
        command = " ".join(shlex.quote(word) for word in finished.argv)
        what = cause or f"{os.path.basename(finished.argv[0])} failed"
        super().__init__(
            f"{what}: {finished.reason()}",
            fix=fix,
            details=f"`{command}` ended with exit code {finished.code}:\n{finished.last_lines()}",
        )


class _Ears(NamedTuple):
    """Who hears a program while it runs, who watches it, and how much is kept of it: see `run`."""

    heard: Optional[Callable[[str], None]]
    watched: Optional[Callable[[int], None]]
    most: Optional[int]


def run(  # noqa: PLR0913 - all but the first are options with a name
    argv: Sequence[str],
    *,
    stdin: Optional[bytes] = None,
    env: Optional[Mapping[str, str]] = None,
    timeout: Optional[float] = None,
    heard: Optional[Callable[[str], None]] = None,
    watched: Optional[Callable[[int], None]] = None,
    keep: Sequence[int] = (),
    most: Optional[int] = None,
) -> Finished:
    """Run a program to its end and return its output, whatever its exit code.

    Args:
        argv: program and arguments; no shell is involved.
        stdin: bytes for its standard input; without them it is empty.
        env: variables added to the present environment.
        timeout: seconds after which it is killed.
        heard: called with each line of its output and of its errors when it is printed; it may not raise.
        watched: called twice a second with the bytes that it has printed so far;
            what it raises ends the program.
        keep: descriptors of this process that stay open in the program.
        most: bytes of its output, and as many of its errors, that are returned; the rest is dropped when it is read.

    Raises:
        ClassvmError: the program is not installed, or ran longer than ``timeout``.

    """
    try:
        given = {"env": {**os.environ, **LOCALE, **(env or {})}, "pass_fds": keep}
        done = _run(argv, stdin or b"", given, timeout, _Ears(heard, watched, most))
    except FileNotFoundError as error:
        raise ClassvmError(
            f"{argv[0]} is not installed on this machine",
            fix="`make provision`, as an admin, installs what a class VM needs.",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise time_limit(argv[0], error.timeout) from error
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
    heard: Optional[Callable[[str], None]] = None,
) -> str:
    """Run a program that has to succeed and return its standard output.

    Raises:
        CommandError: the program ended with an exit code other than 0.
        ClassvmError: as ``run``.

    """
    finished = run(argv, stdin=stdin, env=env, timeout=timeout, heard=heard)
    if finished.code:
        raise CommandError(finished)
    return finished.out


def _run(
    argv: Sequence[str],
    stdin: bytes,
    given: Mapping[str, Any],
    timeout: Optional[float],
    ears: _Ears,
) -> subprocess.CompletedProcess[bytes]:
    if ears == _Ears(None, None, None):
        return subprocess.run(  # noqa: S603 - argv is a list, no shell reads it
            list(argv),
            input=stdin,
            capture_output=True,
            timeout=timeout,
            check=False,
            **given,
        )
    pipe = subprocess.PIPE
    process = subprocess.Popen(  # noqa: S603 - as above
        list(argv), stdin=pipe, stdout=pipe, stderr=pipe, **given
    )
    kept: List[List[bytes]] = [[], []]
    threads = [threading.Thread(target=_feed, args=(process.stdin, stdin), daemon=True)]
    for stream, lines in zip((process.stdout, process.stderr), kept):
        threads += [threading.Thread(target=_keep, args=(stream, lines, ears), daemon=True)]
    for thread in threads:
        thread.start()
    try:
        if ears.watched:
            _watch(process, timeout, kept, ears.watched)
        # First its pipes, whose end is known at once; Python would look for that of the program only now and then.
        # Something that it has left behind may hold them.
        _join(threads, argv, timeout)
        process.wait(timeout)
    except BaseException:
        # The threads end with whatever else holds the pipes.
        process.kill()
        process.wait()
        raise
    out, err = (b"".join(lines) for lines in kept)
    return subprocess.CompletedProcess(argv, process.returncode, out, err)


def _watch(
    process: subprocess.Popen[bytes],
    timeout: Optional[float],
    kept: List[List[bytes]],
    watched: Callable[[int], None],
) -> None:
    """Look at a program until it ends."""
    deadline = time.monotonic() + timeout if timeout else math.inf
    while not _has_ended(process):
        watched(sum(len(line) for lines in kept for line in list(lines)))
        if time.monotonic() > deadline:
            raise subprocess.TimeoutExpired(process.args, timeout or 0)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(LOOK_SECONDS)
        return True
    return False


def _join(
    threads: Sequence[threading.Thread], argv: Sequence[str], timeout: Optional[float]
) -> None:
    deadline = time.monotonic() + (timeout or 0)
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()) if timeout else None)
        if thread.is_alive():
            raise subprocess.TimeoutExpired(list(argv), timeout or 0)


def _feed(pipe: IO[bytes], content: bytes) -> None:
    # A program need not read it to the end.
    with contextlib.suppress(BrokenPipeError), pipe:
        pipe.write(content)


def _keep(pipe: IO[bytes], lines: List[bytes], ears: _Ears) -> None:
    left = math.inf if ears.most is None else ears.most
    with pipe:
        # A line has its bound, too.
        for line in iter(lambda: pipe.readline(LONGEST_LINE), b""):
            if left > 0:
                lines.append(line if len(line) <= left else line[: int(left)])
                left -= len(line)
            if ears.heard:
                ears.heard(line.decode(errors="replace").rstrip())
