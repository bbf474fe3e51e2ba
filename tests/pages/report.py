"""The document about what the browser saw, with pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pages.visit import Look, Place

COLUMNS = ("page", "of", "colours", "width", "rules of axe passed", "axe is unsure", "flaws")
INTRODUCTION = """\
# Pages

What Chromium showed of the pages: `make pages TABLE=docs/pages.md` wrote this, and fails where it
finds a flaw. A flaw is a message in the browser's console, an element that violates a rule of axe,
or a page that scrolls sideways. "Axe is unsure" counts the elements that a person has to judge.
"""


@dataclass(frozen=True)
class Row:
    """What one visit found."""

    place: Place
    look: Look
    rules_passed: int
    unsure: int
    flaws: int

    @property
    def cells(self) -> list[str]:
        """The texts of the columns."""
        numbers = (self.look.width, self.rules_passed, self.unsure, self.flaws)
        return [self.place.name, self.place.app, self.look.scheme, *map(str, numbers)]


@dataclass(frozen=True)
class Seen:
    """What all visits found, and the folder of their pictures."""

    folder: Path
    rows: list[Row] = field(default_factory=list)


def picture(place: Place, look: Look) -> str:
    """Return the name of a picture's file."""
    return f"{place}-{look}.png".lower()


def table(rows: Sequence[Row]) -> str:
    """Return the table."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *(row.cells for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def gallery(rows: Sequence[Row], path: Path) -> str:
    """Return the pictures, which lie in a folder beside the document, of its name."""
    return "".join(
        f"\n![{row.place.name}, {row.look}]({path.stem}/{picture(row.place, row.look)})\n"
        for row in rows
        if (path.parent / path.stem / picture(row.place, row.look)).exists()
    )


def write(path: Path, rows: Sequence[Row]) -> None:
    """Write the document; the pictures are there already."""
    text = f"{INTRODUCTION}\n{table(rows)}{gallery(rows, path)}"
    path.write_text(text, encoding="utf-8")
