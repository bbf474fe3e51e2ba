"""Make the list of requirements from which an app's lock is compiled, for Python 3.7 on Ubuntu 18.04."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Collection, Dict, Iterator, List, Mapping, Optional, Tuple

from packaging.requirements import Requirement

from . import code, known_code, known_pairs, requirements
from .folder import AppFolder
from .packages import brought, normal
from .python37 import LIMITS
from .requirement_lines import Entry, Line
from .requirements import Requirements

FOR_NUMBER_PATHS = ("flask<2.2", "werkzeug<2.2")
MIXED_UP = "with newer ones connexion 2 mixes up several numbers in one path"
NOT_LISTED = "the code imports it, and no line names it"
# The place of what is added where the app has no list of packages.
NO_LIST = "packages:"
NAMED = re.compile(r"`([A-Za-z0-9][\w.-]*)[^`]*`")
# What an added package gets beyond its name.
EXTRAS = {"connexion": "[swagger-ui]"}


@dataclass(frozen=True)
class Change:
    """A line of the student's list that is left out, altered or added.

    Attributes:
        place: where, for example "requirements.txt:11"; for an added line, what needs it.
        what: what is done, in a sentence without a full stop.
        why: the reason, in a sentence without a full stop.

    """

    place: str
    what: str
    why: str

    def __str__(self) -> str:
        """Return it in one line."""
        return f"{self.place} {self.what}: {self.why}"


@dataclass(frozen=True)
class Adapted:
    """A list of requirements that pip-tools can compile.

    Attributes:
        text: the list, as requirements.in of pip-tools.
        changes: what differs from the student's list, in the order of its lines.
        local: folders of the app, for PYTHONPATH, in which local packages have their modules.
        places: where each package is named first, by its normal name: "requirements.txt:3".

    """

    text: str
    changes: Tuple[Change, ...]
    local: Tuple[str, ...]
    places: Mapping[str, str]

    def summary(self) -> Tuple[str, ...]:
        """Return the changes in few lines: those of one list for one reason in one line."""
        groups: Dict[Tuple[str, str, str], List[Change]] = {}
        for one in self.changes:
            kind = re.sub(r"`[^`]*`", "", one.what)
            groups.setdefault((one.place.partition(":")[0], kind, one.why), []).append(one)
        return tuple(_together(changes) for changes in groups.values())


def _together(changes: List[Change]) -> str:
    """Return changes for the same reason in one line that names each of them."""
    first, *others = changes
    likewise = f", likewise {', '.join(map(_short, others))}" if others else ""
    return f"{first.place} {first.what}{likewise}: {first.why}"


def _short(change: Change) -> str:
    """Return the place and the package of a change: "requirements.txt:13 `mkl-random`"."""
    place = change.place if ":" in change.place else ""
    named = re.search(r"`(?:-e )?([^`\s\[=<>!~;@]+)", change.what)
    return f"{place} `{named[1]}`".strip() if named else change.place


def adapt(
    folder: AppFolder,
    *,
    used: Optional[Collection[str]] = None,
    serves: bool = True,
    number_paths: bool = False,
    for_lock: bool = True,
) -> Adapted:
    """Return the requirements of an app; never raises for its content.

    Args:
        folder: the app's files.
        used: the Python files that the app uses; None for all of them.
        serves: whether gunicorn serves the app, so that it is needed.
        number_paths: whether a path of a spec has several parameters of `type: number`.
        for_lock: whether a lock is compiled from it, which holds what serves the app, too.

    """
    read = requirements.read(folder, used)
    wanted = dict(read.wanted)
    files = folder.python_files() if used is None else used
    added = _added_for_code(wanted, read, known_code.needs(folder, files))
    added += _added(wanted, read, number_paths=number_paths)
    place = read.file or NO_LIST
    if "connexion" in wanted and code.makes_aiohttp_app(folder, files):
        added.append(_add(wanted, "connexion[aiohttp]", place, "the code makes an AioHttpApp"))
    if for_lock:
        added += _added_for_lock(wanted, place, serves=serves)
    for name, one in wanted.items():
        if not one.specifier and name in LIMITS:
            wanted[name] = Requirement(f"{one}{LIMITS[name]}")
    changes = [
        *_of_lock(read, wanted),
        *(Change(f"{one.file}:{one.line}", "is left out", one.what) for one in read.findings),
        *_changed(read, wanted),
        *added,
    ]
    text = "".join(f"{one}\n" for one in wanted.values())
    places = {one.name: one.line.place for one in reversed(read.entries) if one.wanted}
    return Adapted(text, tuple(changes), tuple(one.path for one in read.local), places)


def located(message: str, places: Mapping[str, str]) -> str:
    """Return a message whose first named package (`flask==3`) is followed by its place, if that is known."""
    for found in NAMED.finditer(message.partition("\n")[0]):
        place = places.get(normal(found[1]))
        if place:
            return f"{message[: found.end()]} ({place}){message[found.end() :]}"
    return message


def _changed(read: Requirements, wanted: Mapping[str, Requirement]) -> Iterator[Change]:
    """Yield what becomes of the student's lines."""
    hashed = next((one.line.file for one in read.entries if one.line.hashed), "")
    if hashed:
        yield Change(hashed, "hashes are left out", "the lock that is made here has its own")
    first: Dict[str, Line] = {}
    for one in read.entries:
        line, key = one.line, requirements.key(one)
        if key in first and not line.only_limits:
            if line.text != first[key].text:
                what = f"{line.shown} is joined with {first[key].place} to `{wanted[key]}`"
                yield Change(line.place, what, "it is named twice")
            continue
        if key:
            first[key] = line
        done = _done(one, wanted.get(key))
        if done and not (one.code == "CV036" and one.name in read.locked):
            yield Change(line.place, f"{line.shown} {done}", _reason(one))


def _of_lock(read: Requirements, wanted: Mapping[str, Requirement]) -> Iterator[Change]:
    """Yield what of a lock does not count: the list, or Python 3.7, wants another version."""
    for name, one in read.unlocked.items():
        taken = wanted.get(name)
        shown = f"`{name}=={one.version}`"
        what = f"{shown} is taken as `{taken}`" if taken else f"{shown} is left out"
        why = "another version fits the list" if one.fits else "it needs a newer Python than 3.7"
        yield Change(one.place, what, why)


def _done(entry: Entry, wanted: Optional[Requirement]) -> str:
    """Return what becomes of a line, "" where it stays as it is."""
    if entry.local:
        return "is used from the folder, not installed"
    if wanted is None:
        return "is left out"
    same = _squeezed(entry.line.text) == _squeezed(str(wanted))
    return "" if same or not entry.what or entry.line.only_limits else f"is taken as `{wanted}`"


def _reason(entry: Entry) -> str:
    if entry.local:
        return "its code is part of the app"
    if entry.line.only_limits and not entry.what:
        return "nothing here needs that package"
    return entry.what.replace(entry.line.shown, "it").replace(f"`{entry.name}`", "it")


def _squeezed(text: str) -> str:
    return re.sub(r"[\s\"']", "", text).lower()


def _added(
    wanted: Dict[str, Requirement], read: Requirements, *, number_paths: bool
) -> List[Change]:
    """Add what the list lacks; return what was added."""
    lacking = [
        (f"{package}{EXTRAS.get(package, '')}{LIMITS.get(package, '')}", place, NOT_LISTED)
        for package, place in sorted(read.missing().items())
    ]
    changes = [_add(wanted, *one) for one in lacking]
    file = read.file or NO_LIST
    for limit in known_pairs.limits(wanted):
        why = f"`{wanted[limit.package]}` does not work with newer ones"
        changes.append(_add(wanted, f"{limit.helper}{limit.version}", file, why))
    mixed_up = FOR_NUMBER_PATHS if number_paths and "connexion" in wanted else ()
    return changes + [
        _add(wanted, text, file, MIXED_UP)
        for text in mixed_up
        if not known_pairs.has_limit(wanted.get(Requirement(text).name))
    ]


def _added_for_code(
    wanted: Dict[str, Requirement], read: Requirements, needs: List[known_code.Need]
) -> List[Change]:
    """Add the limits that the code needs, of packages that are there in whatever version."""
    there = read.names() | brought(read.names()) | set(read.missing())
    changes = []
    for one in needs:
        name = Requirement(one.requirement).name
        if name in there and not known_pairs.has_limit(wanted.get(name)):
            why = f"{one.place} wants `{one.name}`, which newer ones do not have"
            changes.append(_add(wanted, one.requirement, read.file or NO_LIST, why))
    return changes


def _added_for_lock(wanted: Dict[str, Requirement], file: str, *, serves: bool) -> List[Change]:
    changes = []
    if serves and "gunicorn" not in wanted:
        changes.append(_add(wanted, f"gunicorn{LIMITS['gunicorn']}", file, "it serves the app"))
    if "setuptools" not in wanted:
        # Each environment of that time had it.
        why = "older packages import it without saying so"
        changes.append(_add(wanted, "setuptools", file, why))
    return changes


def _add(wanted: Dict[str, Requirement], text: str, place: str, why: str) -> Change:
    one = Requirement(text)
    wanted[one.name] = requirements.both(wanted.get(one.name, one), one)
    return Change(place, f"`{text}` is added", why)
