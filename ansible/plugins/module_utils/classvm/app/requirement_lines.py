"""Understand one line of a list of requirements as students have it: what it asks for, what is wrong."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from typing import Iterator, NamedTuple, Tuple

from packaging.requirements import InvalidRequirement, Requirement

from .packages import PLACEHOLDERS, foreign, normal
from .python37 import LAST, LIMITS, STANDARD_LIBRARY, last_version

# More than any list or line of a person has: what lies beyond is not read.
MOST_LINES = 2_000
MOST_CHARACTERS = 400
SHOWN_CHARACTERS = 80
NAME = re.compile(r"([A-Za-z0-9_](?:[\w.-]*[A-Za-z0-9])?)\s*(\[[^\]]*\])?\s*(.*)", re.ASCII)
CONFLICT = re.compile(r"<<<<<<<|=======|>>>>>>>")
SERVER = re.compile(r"(^|[\s@])(git|hg|svn|bzr)\+|@\s*https?://|^https?://|^git@|@\s*ssh://")
EGG = re.compile(r"#egg=([\w.-]+)|^([\w.-]+)\s*(?:\[[^\]]*\])?\s*@")
EDITABLE = re.compile(r"(?:-e|--editable)(?:\s+|\s*=\s*)(.*)")
OPTION = re.compile(r"--?\w")
FOLLOWED = re.compile(r"(-r|--requirement|-c|--constraint)(?:\s*=\s*|\s*)(\S.*)")
HASH = re.compile(r"\s+--hash[=:\s]\s*\S+|^--hash\S*")
# A path, with or without the package's name before it.
PATH = re.compile(
    r"(?:([\w.-]+)\s*(\[[^\]]*\])?\s*@\s*)?(file:(?://)?)?([^;@\[]+)(?:\[[^\]]*\])?\s*(?:;.*)?"
)
IS_PATH = re.compile(r"\.{1,2}|(\S*|\..*)[/\\].*|\S*\.(whl|zip|tar\.gz)")
ABSOLUTE = re.compile(r"[/\\~]|[A-Za-z]:")
# `conda list --export` writes name=version=build, and many write one equals sign for pip's two.
CONDA = re.compile(r"([\w.-]+)\s*=\s*(\d[\w.!+]*)(?:=\w+)?")
# `pip list` writes a table.
TABLE_LINE = re.compile(r"([A-Za-z0-9][\w.-]*)\s+(\d[\w.!+]*)")
# Builds for a processor come from an index of their own, and say so: torch==1.13.1+cpu.
LABEL = re.compile(r"(==\s*[\w.!]+)\+[\w.]+")
# Older versions of pip read `>=2.6.*`.
OLD_WILDCARD = re.compile(r"([<>~]=?\s*\d[\w.]*)\.\*")
NO_VERSION = re.compile(r"[<>=~!]*")


class Line(NamedTuple):
    """A line of a list: continued lines joined, without comment and hashes.

    Attributes:
        file: path of the list in the app's folder.
        number: the line's number, from 1; 0 where it is not known.
        text: what it says.
        hashed: whether it had hashes.
        only_limits: whether it stands in a list of constraints.
        from_conda: whether conda installs it, whose packages need not be Python's.

    """

    file: str
    number: int
    text: str
    hashed: bool = False
    only_limits: bool = False
    from_conda: bool = False

    @property
    def place(self) -> str:
        """Where it stands, for example "requirements.txt:11"."""
        return f"{self.file}:{self.number}" if self.number else self.file

    @property
    def shown(self) -> str:
        """What it says, in backticks, cut where it is long."""
        return f"`{self.text[:SHOWN_CHARACTERS]}`"


@dataclass(frozen=True)
class Entry:
    """What a line means.

    Attributes:
        line: the line.
        name: normal name of the package, or "".
        wanted: what it asks for, in pip's notation of today; None where that cannot be part of a lock.
        local: the local package that it names, as a path in the app's folder; or "".
        code: kind of finding (`codes.RULES`), or "".
        what: what is wrong or remarkable, in a sentence without a full stop; "" for nothing.
        fix: what a student should do.

    """

    line: Line
    name: str = ""
    wanted: Requirement | None = None
    local: str = ""
    code: str = ""
    what: str = ""
    fix: str = ""


def split(file: str, text: str, *, only_limits: bool = False) -> Iterator[Line]:
    """Yield the lines of a list that say something."""
    first, joined = 0, ""
    for number, raw in enumerate(text.splitlines()[:MOST_LINES], start=1):
        line = re.sub(r"(^|\s+)#.*", "", raw[: 2 * MOST_CHARACTERS]).strip()
        first = first if joined else number
        if line.endswith("\\"):
            joined = joined[:MOST_CHARACTERS] + line[:-1] + " "
            continue
        whole, joined = (joined + line).strip(), ""
        plain = HASH.sub("", whole).strip()
        if plain:
            yield Line(file, first, plain, plain != whole, only_limits)


def followed(line: Line) -> Tuple[str, bool] | None:
    """Return the list that `-r` or `-c` names, as a path in the app's folder, and whether it only limits."""
    match = FOLLOWED.fullmatch(line.text)
    if not match:
        return None
    return _in_folder(line.file, match[2]), line.only_limits or match[1] in ("-c", "--constraint")


def _in_folder(file: str, path: str) -> str:
    """Return a path that a file names, relative to the app's folder."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), path.replace("\\", "/")))


def read(line: Line) -> Entry:
    """Return what a line means; never raises."""
    if CONFLICT.match(line.text):
        fix = "Keep one of the versions, delete the markers"
        return Entry(line, code="CV030", what="a marker of an unfinished merge", fix=fix)
    if SERVER.search(line.text):
        what = f"{line.shown} comes from a server at build time"
        fix = "Copy the code into the folder, or name a released version"
        return Entry(line, _egg(line.text), code="CV031", what=what, fix=fix)
    if len(line.text) > MOST_CHARACTERS:
        return _unreadable(line)
    editable = EDITABLE.fullmatch(line.text)
    if OPTION.match(line.text) and not editable:
        return Entry(line, what="the settings of pip are those of the host")
    return (
        _path(line, editable[1] if editable else line.text)
        or _not_for_a_service(line)
        or _package(line)
    )


def _egg(text: str) -> str:
    match = EGG.search(text)
    return normal(match[1] or match[2]) if match else ""


def _path(line: Line, text: str) -> Entry | None:
    """Return what a line that names a folder or a file means."""
    match = PATH.fullmatch(text)
    if not match or not (match[3] or IS_PATH.fullmatch(match[4].strip())):
        return None
    name = normal(match[1] or "")
    why = foreign(name)
    if why:
        return _foreign(line, name, why)
    if not ABSOLUTE.match(match[4]):
        return Entry(line, name, local=_in_folder(line.file, match[4].strip()))
    what = f"{line.shown} is a folder of another computer"
    if not name:
        return Entry(line, code="CV032", what=what, fix="Copy the code into the folder")
    fix = f"Write `{match[1]}`; `pip list --format=freeze` gives the versions"
    wanted = _requirement(name + (match[2] or "")) or _requirement(name)
    return Entry(line, name, wanted, code="CV032", what=what, fix=fix)


def _not_for_a_service(line: Line) -> Entry | None:
    """Return what a line means whose name alone tells that it cannot stay."""
    match = NAME.match(line.text)
    if not match:
        return None
    name = normal(match[1]).strip("-")
    why = foreign(name)
    if why:
        return _foreign(line, name, why)
    if name in STANDARD_LIBRARY:
        what = f"`{name}` comes with Python"
        return Entry(line, name, code="CV034", what=what, fix="Delete the line")
    if name in PLACEHOLDERS:
        better = PLACEHOLDERS[name]
        # The version is mostly the placeholder's own: 0.0.
        version = "" if re.match(r"==\s*0\.0", match[3]) else match[3]
        wanted = _requirement(f"{better}{version}") or _requirement(better)
        what = f"`{name}` is only a placeholder"
        return Entry(line, better, wanted, code="CV035", what=what, fix=f"Write `{better}`")
    return None


def _foreign(line: Line, name: str, why: str) -> Entry:
    return Entry(line, name, code="CV033", what=f"`{name}` {why}", fix="Delete the line")


def _package(line: Line) -> Entry:
    """Return what a line that names a package and mostly its version means."""
    text = re.sub(r"\s--?\w.*", "", line.text)
    noted = CONDA.fullmatch(text) or TABLE_LINE.fullmatch(text)
    if noted:
        better = f"{noted[1]}=={noted[2]}"
        entry = _package(line._replace(text=better))
        if entry.wanted is None:
            return _unreadable(line)
        if entry.code != "CV040":
            what = f"{line.shown} is not in pip's notation"
            entry = replace(entry, code="CV042", what=what, fix=f"Write `{better}`")
        return replace(entry, line=line)
    plain = LABEL.sub(r"\1", text)
    wanted = _requirement(OLD_WILDCARD.sub(r"\1", plain))
    if wanted is None:
        return _unreadable(line)
    entry = _judged(line, wanted)
    if plain != text and not entry.code:
        entry = replace(entry, what="the index has no builds with such a label")
    return entry


def _requirement(text: str) -> Requirement | None:
    """Return what a text asks for; None where pip could not read it."""
    match = NAME.fullmatch(text)
    if match and NO_VERSION.fullmatch(match[3]):
        text = match[1] + (match[2] or "")
    try:
        made = Requirement(text)
    except InvalidRequirement:
        return None
    # An address of a kind that `SERVER` and `PATH` do not know, pip does not know either.
    return None if made.url else made


def _judged(line: Line, wanted: Requirement) -> Entry:
    """Judge the version of a package."""
    name = normal(wanted.name)
    if not wanted.specifier and not line.only_limits:
        what, fix = (
            f"`{name}` has no version",
            f"Write the one that you use: `pip show {name}` prints it",
        )
        fix += f". The last one for Python 3.7 is {LAST[name]}" if name in LAST else ""
        return Entry(line, name, wanted, code="CV036", what=what, fix=fix)
    last = last_version(name, wanted)
    if last:
        what = f"`{name}{str(wanted.specifier)[:20]}` needs a newer Python than 3.7"
        better = f"{name}{LIMITS[name]}" if name in LIMITS else f"{name}=={last}"
        if name == "connexion":  # its page for people is an extra in version 2
            better = better.replace("<", "[swagger-ui]<")
        fix = f"Write `{better}`: the last one for Python 3.7 is {last}"
        return Entry(line, name, wanted, code="CV040", what=what, fix=fix)
    return Entry(line, name, wanted)


def _unreadable(line: Line) -> Entry:
    what = f"{line.shown} names no package"
    return Entry(line, code="CV042", what=what, fix="Write `name==version`, or delete the line")
