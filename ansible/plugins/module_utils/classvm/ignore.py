"""Read a `.dockerignore` as Docker does.

The package `docker` can do it, too, but loads an HTTP client along: longer than all the rest that
a deploy without changes does on the control node. A test holds the two equal.

Source: https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, List, Pattern, Sequence

FILE = ".dockerignore"


@dataclass(frozen=True)
class Rule:
    """One line of the file.

    Attributes:
        path: the pattern without the mark of an exception, as a clean relative path.
        expression: what a path has to match as a whole.
        excepted: whether what matches is kept.

    """

    path: str
    expression: Pattern[str]
    excepted: bool

    def matches(self, name: str) -> bool:
        """Tell whether the rule speaks of a path, or of a folder above it."""
        parts = name.split("/")
        return any(
            self.expression.fullmatch("/".join(parts[:count])) for count in range(1, len(parts) + 1)
        )

    def reaches(self, folder: str) -> bool:
        """Tell whether the rule may speak of something in a folder."""
        certain = re.split(r"[*?\[\\]", self.path)[0]
        return certain.startswith(f"{folder}/") or f"{folder}/".startswith(certain)


def read(folder: Path) -> List[Rule]:
    """Return the rules of a folder; none where it has no such file."""
    file = folder / FILE
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return parse(lines)


def parse(lines: Sequence[str]) -> List[Rule]:
    """Return the rules of the lines of a file; comments and empty lines are none."""
    rules = []
    for line in lines:
        text = "" if line.startswith("#") else line.strip()
        excepted = text.startswith("!")
        # Slashes at the ends say nothing, and `..` does not lead out of the folder.
        path = posixpath.normpath("/" + text.lstrip("!").strip()).strip("/")
        if path:
            rules.append(Rule(path, re.compile(_expression(path), re.DOTALL), excepted))
    return rules


def is_ignored(name: str, rules: Sequence[Rule]) -> bool:
    """Tell whether a path, relative and with slashes, is left out: the last word counts."""
    return next((not rule.excepted for rule in reversed(rules) if rule.matches(name)), False)


def kept(folder: Path, rules: Sequence[Rule]) -> Iterator[str]:
    """Yield the relative path of each file that is not left out."""
    for place, folders, files in os.walk(folder):
        above = "" if Path(place) == folder else Path(place).relative_to(folder).as_posix() + "/"
        # Virtual environments and the like hold thousands of files: they are not looked at.
        folders[:] = [
            name
            for name in folders
            if not is_ignored(above + name, rules)
            or any(rule.excepted and rule.reaches(above + name) for rule in rules)
        ]
        for name in files:
            if not is_ignored(above + name, rules):
                yield above + name


def _expression(path: str) -> str:
    """Return the regular expression of a pattern, in which `**` stands for any folders."""
    text = ""
    for part in re.findall(r"\*\*/?|\*|\?|\[\^?\]?[^]]*\]|\\.|.", path, re.DOTALL):
        if part.startswith("**"):
            text += "(?:.*/)?" if part.endswith("/") else ".*"
        elif part in ("*", "?"):
            text += "[^/]" + part.replace("?", "")
        elif part.startswith("[") and len(part) > 1:
            text += part.replace("\\", "\\\\")
        else:
            text += re.escape(part[-1])
    return text
