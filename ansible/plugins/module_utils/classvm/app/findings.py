"""What was found in an app: where, what, why it matters, and how to fix it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Collection, Iterable, List

from .codes import ERROR, RULES


@dataclass(frozen=True, order=True)
class Finding:
    """One finding.

    Attributes:
        file: path in the app's folder; "" for the folder itself.
        line: line of the file, from 1; 0 for the whole file.
        column: column of the line, from 1; 0 for the whole line.
        code: key of `codes.RULES`.
        what: what is wrong, in a sentence without a full stop.
        fix: what to do, in an imperative sentence without a full stop.
        excerpt: lines of the file that show it, with a caret, or "".

    """

    file: str
    line: int
    column: int
    code: str
    what: str
    fix: str
    excerpt: str = ""

    @property
    def severity(self) -> str:
        """One of "error", "warning" and "note"."""
        return RULES[self.code].severity

    @property
    def why(self) -> str:
        """Why it matters, in a sentence."""
        return RULES[self.code].why

    @property
    def place(self) -> str:
        """The place as editors read it, for example "master.yml:7:15"."""
        numbers = [str(number) for number in (self.line, self.column) if number]
        return ":".join([self.file or ".", *numbers])


def has_errors(findings: Iterable[Finding]) -> bool:
    """Tell whether one of the findings keeps the app from being deployed."""
    return any(finding.severity == ERROR for finding in findings)


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Return the known word that is closest to a misspelt one, "" when none is close."""
    return next(iter(difflib.get_close_matches(word, list(known), 1, 0.7)), "")


def listed(names: Iterable[str], most: int = 8) -> str:
    """Return names as "a, b and c"; "none" for none, and no more than ``most`` of them."""
    shown: List[str] = sorted(names)
    if len(shown) > most:
        shown = [*shown[:most], f"{len(shown) - most} more"]
    return " and ".join(part for part in (", ".join(shown[:-1]), *shown[-1:]) if part) or "none"
