"""Find Python's tracebacks in the log of an app, and in them the app's own code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterator, List, Sequence, Tuple

HEAD = "Traceback (most recent call last):"
# Between two tracebacks of one chain.
LINKS = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
FRAME = re.compile(r'^ +File "(?P<file>.+)", line (?P<line>\d+)')
# Python, the packages, and the kit's own files: what a student did not write.
FOREIGN = re.compile(r"/(site|dist)-packages/|/lib/python\d|^<|^/kit/")
EXCEPTION_LENGTH = 200


@dataclass(frozen=True)
class Frame:
    """A line of code that a traceback names.

    Attributes:
        file: path as Python printed it.
        line: number of the line.
        text: the lines of the traceback about it.

    """

    file: str
    line: int
    text: Tuple[str, ...]

    @property
    def is_own(self) -> bool:
        """Whether the app's author wrote it."""
        return not FOREIGN.search(self.file)


@dataclass(frozen=True)
class Traceback:
    """A traceback, or a chain of them, as it stands in a log.

    Attributes:
        lines: all its lines.
        exception: its last line, which names the exception.
        frames: the frames of the last traceback of the chain that has some of the app's own; else all.

    """

    lines: Tuple[str, ...]
    exception: str
    frames: Tuple[Frame, ...]

    @property
    def own(self) -> Tuple[Frame, ...]:
        """The frames of the app's own code, the innermost last."""
        return tuple(frame for frame in self.frames if frame.is_own)

    def cause(self, folder: str = "") -> str:
        """Return the exception with the innermost place in the app's own code, in one line.

        Args:
            folder: the app's folder in the container, which the place leaves out.

        """
        said = self.exception[:EXCEPTION_LENGTH]
        if not self.own:
            return said
        frame = self.own[-1]
        return f"{said} ({relative(frame.file, folder)}:{frame.line})"

    def summary(self, folder: str = "") -> List[str]:
        """Return the frames of the app's own code, and the exception."""
        shown = [line.replace(f"{folder}/", "") if folder else line for line in self._own_lines()]
        return [*shown, self.exception]

    def _own_lines(self) -> Iterator[str]:
        for frame in self.own:
            yield from frame.text


def relative(file: str, folder: str) -> str:
    """Return the path of a file in the app's folder, or the path as it is."""
    inside = folder.rstrip("/") + "/"
    return file[len(inside) :] if folder and file.startswith(inside) else file


def find(lines: Sequence[str]) -> List[Traceback]:
    """Return the tracebacks of a log, the oldest first; a chain of them is one."""
    return [traceback_of(lines[begin:end]) for begin, end in spans(lines)]


def spans(lines: Sequence[str]) -> List[Tuple[int, int]]:
    """Return where each traceback of a log begins, and the line after its end."""
    found: List[Tuple[int, int]] = []
    at = 0
    while at < len(lines):
        if lines[at].strip() != HEAD:
            at += 1
            continue
        end = _end(lines, at)
        if found and _is_linked(lines[found[-1][1] : at]):
            found[-1] = (found[-1][0], end)
        else:
            found.append((at, end))
        at = end
    return found


def traceback_of(lines: Sequence[str]) -> Traceback:
    """Return the traceback that stands in these lines."""
    parts = _parts(lines)
    own = [part for part in parts if any(frame.is_own for frame in part)]
    return Traceback(tuple(lines), lines[-1].strip(), tuple((own or parts)[-1]))


def _end(lines: Sequence[str], begin: int) -> int:
    """Return the line after a traceback: its exception is the first line that is not indented."""
    indent = len(lines[begin]) - len(lines[begin].lstrip())
    at = begin + 1
    while at < len(lines) and lines[at][: indent + 1].isspace():
        at += 1
    return min(at + 1, len(lines))


def _is_linked(between: Sequence[str]) -> bool:
    said = [line.strip() for line in between if line.strip()]
    return len(said) == 1 and said[0] in LINKS


def _parts(lines: Sequence[str]) -> List[List[Frame]]:
    """Return the frames of each traceback of a chain."""
    parts: List[List[Frame]] = []
    text: List[str] = []
    for line in lines:
        frame = FRAME.match(line)
        if line.strip() == HEAD:
            parts.append([])
        elif frame:
            text = [line]
            parts[-1].append(Frame(frame["file"], int(frame["line"]), (line,)))
        elif line[:1].isspace() and parts and parts[-1]:
            text.append(line)
            last = parts[-1][-1]
            parts[-1][-1] = Frame(last.file, last.line, tuple(text))
    return parts
