"""A terminal for programs that ask a person: a test reads what stands there, and types."""

from __future__ import annotations

import os
import pty
import select
import signal
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE = 60.0


class PseudoTerminal:
    """A terminal and the program that it controls.

    Attributes:
        shown: what the terminal has shown so far.
        process: id of the program, which leads its own session.

    """

    def __init__(
        self, argv: Sequence[str], cwd: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start a program in a new terminal."""
        self.shown = ""
        self.process, self._master = pty.fork()
        if self.process == 0:
            os.chdir(cwd)
            given = dict(os.environ if environment is None else environment)
            os.execvpe(argv[0], list(argv), given)  # noqa: S606 - a test names the program

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def wait_for(self, text: str, seconds: float = PATIENCE) -> str:
        """Wait until a text is shown after what is there already, and return all that came."""
        return self.wait_until(lambda new: text in new, f"{text!r} is not shown", seconds)

    def wait_until(
        self, there: Callable[[str], bool], problem: str, seconds: float = PATIENCE
    ) -> str:
        """Wait until what is shown next is as a test wants it, and return it."""
        begun, deadline = len(self.shown), time.monotonic() + seconds
        while not there(self.shown[begun:]):
            assert time.monotonic() < deadline, f"{problem}:\n{self.shown}"
            assert self._read(), f"the program ended, and {problem}:\n{self.shown}"
        return self.shown[begun:]

    def end(self, seconds: float = PATIENCE) -> int:
        """Wait until the program ends, and return its exit status."""
        deadline = time.monotonic() + seconds
        while self._read():
            assert time.monotonic() < deadline, f"it does not end:\n{self.shown}"
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])

    def echoes(self) -> bool:
        """Tell whether what is typed is shown."""
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    def hang_up(self) -> None:
        """Close the terminal, as the window or the connection of a person who leaves."""
        if self._master >= 0:
            os.close(self._master)
        self._master = -1

    def _read(self) -> bool:
        """Take what is shown, if anything is; return False once nothing more can come."""
        if not select.select([self._master], [], [], 0.1)[0]:
            return True
        try:
            got = os.read(self._master, 4096)
        except OSError:  # Linux says so where no program has the terminal any more
            return False
        self.shown += got.decode(errors="replace").replace("\r\n", "\n")
        return bool(got)


@contextmanager
def terminal(
    *argv: str, cwd: Path, environment: Mapping[str, str] | None = None
) -> Iterator[PseudoTerminal]:
    """Start a program in a terminal of its own, and leave neither behind."""
    opened = PseudoTerminal(argv, cwd, environment)
    try:
        yield opened
    finally:
        opened.hang_up()
        for process in of_session(opened.process):
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.kill(process, signal.SIGKILL)


def of_session(leader: int) -> list[int]:
    """Return the processes of a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found
