"""Tell what .dockerignore leaves out of an image, as Docker does.

Docker's own package for Python can tell it, too, but takes a quarter of a second to load.
Source: https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import functools
import posixpath
import re
from dataclasses import dataclass
from typing import Iterable, List, Pattern, Tuple

from ..base.errors import ClassvmError

NAME = ".dockerignore"
# What stands for any characters in a pattern, from the longest to the shortest.
WILDCARDS = {"**/": "(.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\\.|\[[^]]+\]|.", re.DOTALL)


@dataclass(frozen=True)
class Rule:
    """A line of the file.

    Attributes:
        text: its pattern in the shortest spelling.
        regex: the same as a regular expression for a whole path.
        brings_back: whether what matches is not left out, though an earlier line says so.

    """

    text: str
    regex: Pattern[str]
    brings_back: bool


class IgnoreFile:
    """The rules of a .dockerignore. Paths are relative to its folder."""

    def __init__(self, text: str, needed: Iterable[str] = ()) -> None:
        """Read the rules.

        Args:
            text: what the file holds.
            needed: paths that are never left out.

        Raises:
            ClassvmError: a pattern is not valid.

        """
        lines = [line.strip() for line in text.splitlines() if not line.startswith("#")]
        lines += [f"!{path}" for path in (*needed, NAME)]
        self._rules = [rule for rule in map(_rule, lines) if rule.text != "."]
        self._none = (False,) * len(self._rules)
        # Most files share their folders with others.
        self.skips = functools.lru_cache(maxsize=None)(self._skips)
        self._matches_in = functools.lru_cache(maxsize=None)(self._matches)

    def leaves_out(self, path: str) -> bool:
        """Tell whether a file or a folder is left out."""
        return self.skips(posixpath.dirname(path)) or self._is_matched(path)

    def _skips(self, folder: str) -> bool:
        """Tell whether a folder is left out with all that is in it."""
        if not folder:
            return False
        inside = f"{folder}/"
        return self.skips(posixpath.dirname(folder)) or (
            self._is_matched(folder)
            and not any(
                rule.brings_back and f"{rule.text}/".startswith(inside) for rule in self._rules
            )
        )

    def _is_matched(self, path: str) -> bool:
        """Tell what the last rule says that matches a path."""
        found = [rule for rule, matches in zip(self._rules, self._matches(path)) if matches]
        return bool(found) and not found[-1].brings_back

    def _matches(self, path: str) -> Tuple[bool, ...]:
        """Return for each rule whether it matches a path, or a folder above it."""
        folder = posixpath.dirname(path)
        above = self._matches_in(folder) if folder else self._none
        return tuple(
            matches or rule.regex.fullmatch(path) is not None
            for matches, rule in zip(above, self._rules)
        )


def _rule(line: str) -> Rule:
    brings_back = line.startswith("!")
    path = posixpath.normpath("/" + line[brings_back:].strip()).lstrip("/") or "."
    parts: List[str] = TOKEN.findall(path)
    try:
        regex = re.compile("".join(map(_translated, parts)), re.DOTALL)
    except re.error as error:
        what = f"A pattern is not valid: {error}"
        raise ClassvmError(what, place=NAME, fix="Correct it.") from error
    return Rule(path, regex, brings_back)


def _translated(part: str) -> str:
    """Return a part of a pattern as a regular expression."""
    if part in WILDCARDS:
        return WILDCARDS[part]
    is_class = part.startswith("[") and part.endswith("]")
    return part if is_class else re.escape(part[-1])
