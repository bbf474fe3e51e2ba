"""The one exception that ends a task with a message written for its reader."""

from __future__ import annotations


class ClassvmError(Exception):
    """Something stops the work.

    Attributes:
        cause: what is wrong, in one line of plain words; it ends a run as its closing line.
        place: where: a file, with the line where there is one.
        fix: what to do next, with the command for it.
        details: what else helps, in any number of lines; they stand above the closing line.

    """

    def __init__(self, cause: str, *, place: str = "", fix: str = "", details: str = "") -> None:
        """Compose the message.

        Args:
            cause: what is wrong; what follows its first line counts as details.
            place: a file, "FILE:LINE" or "".
            fix: a sentence, or "".
            details: lines, or "".

        """
        first, _, rest = cause.strip().partition("\n")
        self.cause = first.rstrip()
        self.place = place
        self.fix = fix
        self.details = "\n".join(text for text in (rest, details.rstrip()) if text)
        super().__init__(self.cause)

    @property
    def line(self) -> str:
        """The closing line: cause, place and fix."""
        cause = self.cause.rstrip(".") if self.place or self.fix else self.cause
        line = f"{cause} ({self.place})" if self.place else cause
        return f"{line}. {self.fix}" if self.fix else line

    def __str__(self) -> str:
        """Return the whole message, the closing line first."""
        return f"{self.line}\n{self.details}" if self.details else self.line
