"""Say in a person's words why a document is not YAML: the parser tells what it expected, not what is wrong."""

from __future__ import annotations

import re
from typing import Callable, List, NamedTuple, Optional, Tuple

import yaml

KEY = r"""["']?[\w$./{}-]+["']?"""
# A key with a text behind it that is not in quotes.
WITH_TEXT = re.compile(rf"\s*(?:- +)*({KEY}):\s+([^\s'\"{{\[|>&*!].*)")
WITHOUT_BLANK = re.compile(rf"\s*(?:- +)*({KEY}):([^\s:/].*)")
QUOTED = re.compile(rf"\s*(?:- +)*(?:{KEY}:\s+)?(['\"])")
CORRECT = "Correct the line, or the one before it"


class Mistake(NamedTuple):
    """What is wrong.

    Attributes:
        line, column: where, from 0.
        what: what it is, in a sentence without a full stop.
        fix: what to write.

    """

    line: int
    column: int
    what: str
    fix: str


class Found(NamedTuple):
    """What the parser tells.

    Attributes:
        lines: the lines of the document.
        line, column: where it stopped, from 0.
        start: line and column of what it was reading, from 0; None where it does not tell.
        problem: its words.

    """

    lines: List[str]
    line: int
    column: int
    start: Optional[Tuple[int, int]]
    problem: str

    @property
    def text(self) -> str:
        """The line where it stopped."""
        return self.lines[self.line]

    @property
    def before(self) -> int:
        """The line before that one, without empty ones and comments; -1 for none."""
        above = range(self.line - 1, -1, -1)
        said = (at for at in above if self.lines[at].strip() and self.lines[at].strip()[0] != "#")
        return next(said, -1)


def explain(text: str, error: yaml.MarkedYAMLError) -> Mistake:
    """Return what is wrong in a document that the parser refuses."""
    mark = error.problem_mark or error.context_mark
    lines = text.splitlines() or [""]
    line = min(mark.line if mark else 0, len(lines) - 1)
    begin = error.context_mark
    start = (begin.line, begin.column) if begin else None
    found = Found(lines, line, mark.column if mark else 0, start, str(error.problem or ""))
    told = next(filter(None, (kind(found) for kind in KINDS)), None)
    reasons = [str(part) for part in (error.context, error.problem) if part]
    return told or Mistake(line, found.column, ", ".join(reasons), CORRECT)


def _colon(found: Found) -> Optional[Mistake]:
    """Notice a key without its colon: PyYAML stumbles over the line that follows."""
    if found.before < 0 or not _lacks_colon(found.lines[found.before], found.text):
        return None
    stem = found.lines[found.before].rstrip()
    what, fix = f"a colon is missing after `{stem.strip()}`", f"Write `{stem.strip()}:`"
    return Mistake(found.before, len(stem), what, fix)


def _lacks_colon(line: str, following: str) -> bool:
    """Tell whether a line should be the key of the one that follows, which is a key itself."""
    word = line.strip()
    quoted = word[:1] in "'\"" and word[-1:] == word[:1]
    is_key = quoted or re.fullmatch(r"[\w/{}.$-]+", word) is not None
    is_below = _indent(following) > _indent(line)
    return is_key and is_below and re.match(r"\s*[\w/{}.'\"$-]+\s*:", following) is not None


def _tab(found: Found) -> Optional[Mistake]:
    if "\t" not in found.text[: found.column + 1]:
        return None
    return Mistake(found.line, found.column, "a tab, where YAML wants blanks", "Indent by blanks")


def _open_quote(found: Found) -> Optional[Mistake]:
    if found.problem != "found unexpected end of stream" or not found.start:
        return None
    return Mistake(*found.start, "the quote that opens here is never closed", "Close it")


def _first_character(found: Found) -> Optional[Mistake]:
    character = found.text[found.column : found.column + 1]
    if "cannot start any token" not in found.problem or not character:
        return None
    what = f"a value cannot begin with `{character}`"
    return Mistake(found.line, found.column, what, "Put the value in quotes")


def _alias(found: Found) -> Optional[Mistake]:
    if "undefined alias" not in found.problem:
        return None
    what = "a value that begins with `*` stands for another one, which is not there"
    return Mistake(found.line, found.column, what, "Put the value in quotes")


def _comma(found: Found) -> Optional[Mistake]:
    match = re.search(r"expected ',' or '([}\]])'", found.problem)
    if not match or not found.start:
        return None
    what = f"a comma or `{match[1]}` is missing before this"
    fix = f"Line {found.start[0] + 1} opens what has to be closed"
    return Mistake(found.line, found.column, what, fix)


def _colon_in_text(found: Found) -> Optional[Mistake]:
    match = WITH_TEXT.match(found.text)
    if "mapping values" not in found.problem or not match or found.column < match.start(2):
        return None
    quote = "'" if '"' in match[2] else '"'
    fix = f"Put the text in quotes: `{match[1]}: {quote}{match[2].strip()[:60]}{quote}`"
    return Mistake(found.line, found.column, f"the text of `{match[1]}` holds a colon", fix)


def _blank(found: Found) -> Optional[Mistake]:
    """Notice a key whose colon has no blank behind it: a text, below which stands the next key."""
    for line in (found.before, found.line):
        match = WITHOUT_BLANK.fullmatch(found.lines[line]) if line >= 0 else None
        if match and "mapping values" in found.problem:
            fix = f"Write `{match[1]}: {match[2].strip()[:60]}`"
            return Mistake(line, match.end(1), f"a blank is missing after `{match[1]}:`", fix)
    return None


def _below_text(found: Found) -> Optional[Mistake]:
    match = WITH_TEXT.match(found.lines[found.before]) if found.before >= 0 else None
    key = found.text.strip().partition(":")[0]
    is_below = match is not None and _indent(found.text) > _indent(found.lines[found.before])
    if "mapping values" not in found.problem or not match or not is_below:
        return None
    what = f"`{key}` is indented below `{match[1]}`, which has a value already"
    fix = f"Indent it as `{match[1]}`"
    return Mistake(found.line, _indent(found.text), what, fix)


def _quote_inside(found: Found) -> Optional[Mistake]:
    match = QUOTED.match(found.text)
    if "did not find expected" not in found.problem or not match or found.column <= match.end():
        return None
    other = "double" if match[1] == "'" else "single"
    what = f"the text ends before this, at its second {match[1]}"
    return Mistake(found.line, found.column, what, f"Put the text in {other} quotes")


def _indentation(found: Found) -> Optional[Mistake]:
    """Notice a line that is indented like none of those that it could belong to."""
    if "did not find expected" not in found.problem:
        return None
    own, fitting = _indent(found.text), {}
    least = 1 << 30
    for at in range(found.line - 1, -1, -1):
        line = found.lines[at]
        if line.strip() and not line.strip().startswith("#") and _indent(line) < least:
            least = _indent(line)
            fitting[least] = at
    if not fitting or own in fitting:
        return None
    nearest = min(fitting, key=lambda one: (abs(one - own), -one))
    what = f"the line is indented by {own}, like none of those above it"
    fix = f"Indent it by {nearest}, as line {fitting[nearest] + 1}"
    return Mistake(found.line, own, what, fix)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


# The first one that knows counts.
KINDS: Tuple[Callable[[Found], Optional[Mistake]], ...] = (
    _colon,
    _tab,
    _open_quote,
    _first_character,
    _alias,
    _comma,
    _colon_in_text,
    _blank,
    _below_text,
    _quote_inside,
    _indentation,
)
