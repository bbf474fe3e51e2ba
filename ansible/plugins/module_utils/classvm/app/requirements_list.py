"""Find what is wrong in a list of requirements as students have it."""

from __future__ import annotations

from typing import Collection, Dict, Iterator, List, Optional, Set

from . import imports, known_pairs, requirements
from .findings import Finding, listed
from .folder import AppFolder
from .packages import MODULES, NEEDS, brought, module_names, normal
from .requirements import Requirements

# Packages that nobody imports, though they do something: servers, plug-ins, what other packages look for.
QUIET = {
    "gunicorn", "waitress", "uvicorn", "uwsgi", "setuptools", "colorama", "python-dotenv", "greenlet",
    "eventlet", "watchdog", "brotli", "swagger-ui-bundle", "importlib-metadata", "typing-extensions",
}  # fmt: skip


def check(folder: AppFolder, used: Optional[Collection[str]] = None) -> List[Finding]:
    """Return the findings in the list of requirements.

    Args:
        folder: the app's files.
        used: the Python files that the app uses; None for all of them.

    """
    read = requirements.read(folder, used)
    return [
        *read.findings,
        *_lines(read),
        *_encoding(folder, read.file),
        *_doubled(read),
        *_not_listed(read, folder),
        *_half_pinned(read),
        *(() if imports.loads_unseen(folder, read.files) else _unused(read)),
    ]


def _lines(read: Requirements) -> Iterator[Finding]:
    for one in read.entries:
        # `make lock` chooses the versions of a requirements.in, and nobody pins those of a local package.
        chosen = one.code == "CV036" and one.line.file != "requirements.txt"
        if one.code and not chosen:
            yield Finding(one.line.file, one.line.number, 1, one.code, one.what, one.fix)


def _encoding(folder: AppFolder, file: str) -> Iterator[Finding]:
    if file and folder.is_utf_16(file):
        what = "the file is UTF-16, as PowerShell's `>` writes it"
        yield Finding(file, 1, 0, "CV038", what, "Save it as UTF-8")


def _doubled(read: Requirements) -> Iterator[Finding]:
    """Yield the second line of each package; other markers and other files may well name it again."""
    first: Dict[str, int] = {}
    for one in read.entries:
        if not one.wanted or one.line.file != read.file:
            continue
        key = f"{one.name};{one.wanted.marker}"
        if key in first:
            what = f"`{one.name}` is also in line {first[key]}"
            fix = "Keep one of the two, with the extras of both"
            yield Finding(read.file, one.line.number, 1, "CV037", what, fix)
        first.setdefault(key, one.line.number)


def _not_listed(read: Requirements, folder: AppFolder) -> Iterator[Finding]:
    """Yield what is imported and not listed; where there is no list, the plan tells what it takes."""
    for package, place in read.missing().items() if read.file else ():
        what = f"{place} imports `{_module(package, read)}`, and no line here names its package"
        yield Finding(read.file, 0, 0, "CV039", what, f"Add `{package}`")
    for module, place in read.unknown(folder).items() if read.file else ():
        what = f"{place} imports `{module}`, and no package here brings it"
        yield Finding(read.file, 0, 0, "CV039", what, "Add its package, or the file")


def _module(package: str, read: Requirements) -> str:
    return next(module for module in read.imported if MODULES.get(module) == package)


def _half_pinned(read: Requirements) -> Iterator[Finding]:
    """Yield an old version whose helpers are left to today's: they no longer fit."""
    lines = {one.name: one.line for one in reversed(read.entries) if one.wanted}
    limits = known_pairs.limits(read.wanted)
    for name in dict.fromkeys(one.package for one in limits):
        what = f"`{name}` is of its time, but its helpers would be today's"
        fix = (
            f"Add {listed(f'`{one.helper}{one.version}`' for one in limits if one.package == name)}"
        )
        line = lines[name]
        yield Finding(line.file, line.number, 1, "CV041", what, fix)


def _unused(read: Requirements) -> Iterator[Finding]:
    """Yield what nobody needs, where all that the app imports is known with what it needs itself."""
    wanted = {one.name for one in read.entries if one.wanted}
    direct = {name for name in wanted if module_names(name) & set(read.imported)}
    if not direct or not direct <= set(NEEDS):
        return
    needed: Set[str] = direct | brought(direct) | QUIET
    for one in read.entries:
        if one.wanted and one.name not in needed and one.line.file == read.file:
            what = f"`{normal(one.name)}` is imported nowhere, and nothing here needs it"
            yield Finding(read.file, one.line.number, 1, "CV045", what, "Delete the line")
