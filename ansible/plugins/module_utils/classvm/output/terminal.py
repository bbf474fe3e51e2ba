"""The terminal of a person who runs a command, whatever becomes of the command's input and output.

Ansible's workers have given up their terminal, and the output of the command may go into a pipe. A
question goes to the terminal itself, as that of `sudo` does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import termios
from pathlib import Path
from types import FrameType
from typing import Any, Iterator, List, Optional

LONGEST_ANSWER = 4096
# Fields of /proc/PID/stat after the name of the program: see proc(5).
GROUP, FOREGROUND = 2, 5


class NoTerminalError(Exception):
    """Nobody can be asked: there is no terminal, or it was closed."""


class Terminal:
    """A terminal that stays open, so that the processes forked from this one have it, too."""

    def __init__(self, opened: Optional[int] = None) -> None:
        """Take a terminal that is open, or none."""
        self._opened = opened

    def open(self) -> None:
        """Open the terminal that controls this process, if there is one."""
        if self._opened is None:
            with contextlib.suppress(OSError):
                self._opened = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)

    def ask_hidden(self, question: str) -> str:
        """Ask, and return what was typed without being shown.

        Raises:
            NoTerminalError: there is none, it was closed, or the person ended the input.

        """
        if self._opened is None:
            raise NoTerminalError
        try:
            with _hidden(self._opened):
                os.write(self._opened, question.encode())
                typed = os.read(self._opened, LONGEST_ANSWER)
        except (OSError, termios.error) as error:
            raise NoTerminalError from error
        if not typed.endswith(b"\n"):
            raise NoTerminalError
        return typed[:-1].decode(errors="surrogateescape")

    def tell(self, text: str) -> None:
        """Show a line."""
        if self._opened is not None:
            with contextlib.suppress(OSError):
                os.write(self._opened, f"{text}\n".encode())


# Of the process that the person has started: our callback opens it there.
OWN = Terminal()


def is_in_foreground(process: int) -> bool:
    """Tell whether what is typed on its terminal is for a process."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return fields[GROUP] == fields[FOREGROUND]


@contextlib.contextmanager
def _hidden(opened: int) -> Iterator[None]:
    """Show nothing of what is typed meanwhile, but the end of the line."""
    before = termios.tcgetattr(opened)
    changed = list(before)
    changed[3] = before[3] & ~termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG
    with _restored_when_killed(opened, before):
        termios.tcsetattr(opened, termios.TCSAFLUSH, changed)
        try:
            yield
        finally:
            with contextlib.suppress(termios.error):  # it was closed
                termios.tcsetattr(opened, termios.TCSAFLUSH, before)


@contextlib.contextmanager
def _restored_when_killed(opened: int, before: List[Any]) -> Iterator[None]:
    """Have a signal that ends this process leave the terminal as it was."""

    def handle(number: int, frame: Optional[FrameType]) -> None:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(opened, termios.TCSANOW, before)
            os.write(opened, b"\n")
        former = handlers[signal.Signals(number)]
        if callable(former):
            former(number, frame)
        else:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, handlers[number])
