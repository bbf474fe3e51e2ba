"""What an app requires: its lists, read line by line and compared with what its code imports."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Collection, Dict, List, Optional, Set, Tuple

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion

from . import imports, local_packages, lock_files, requirement_lines, requirements_source
from .findings import Finding
from .folder import AppFolder
from .local_packages import LocalPackage
from .lock_files import Locked
from .packages import MODULES, brought, is_known, module_names, normal
from .python37 import LAST, counts
from .requirement_lines import Entry


@dataclass(frozen=True)
class Requirements:
    """What an app requires.

    Attributes:
        file: the list that counts, "" for none.
        entries: the lines of all of its lists.
        wanted: the packages to install, doubled ones joined, by their normal names (and markers).
        local: the packages that the app carries along.
        files: the Python files that count.
        locked: what a lock beside the list says, by normal name, as far as it counts here.
        unlocked: what the lock says that does not count: it is for a newer Python, or the list says
            otherwise.
        imported: first place of each module that its code imports from elsewhere.
        findings: lists and folders that are named and are not there.

    """

    file: str
    entries: List[Entry]
    wanted: Dict[str, Requirement]
    local: List[LocalPackage]
    files: List[str]
    locked: Dict[str, Locked]
    unlocked: Dict[str, Locked]
    imported: Dict[str, str]
    findings: List[Finding]

    def names(self) -> Set[str]:
        """Return the normal names of the packages that it lists, in whatever way."""
        return {one.name for one in self.entries if one.name and not one.line.only_limits}

    def modules(self, folder: AppFolder) -> Set[str]:
        """Return the modules that its packages bring, as far as is known, and those of local ones."""
        there = self.names() | brought(self.names())
        local = {name for one in self.local for name in imports.modules(folder, one.path)}
        return local | {module for name in there for module in module_names(name)}

    def unknown(self, folder: AppFolder) -> Dict[str, str]:
        """Return the first place of each imported module that no package brings, where that is sure."""
        if any("sys.path" in folder.text(file) for file in self.files):
            return {}  # where Python looks is then decided at run time
        if not all(is_known(name) or name in brought(self.names()) for name in self.names()):
            return {}
        there = self.modules(folder) | set(MODULES)
        return {module: place for module, place in self.imported.items() if module not in there}

    def missing(self) -> Dict[str, str]:
        """Return the first place of each well-known package that is imported and not listed."""
        there = self.names() | brought(self.names())
        found: Dict[str, str] = {}
        for module, place in self.imported.items():
            package = MODULES.get(module, "")
            # opencv-python and opencv-python-headless, psycopg2 and psycopg2-binary: the same module.
            stem = package.replace("-headless", "").replace("-binary", "")
            if package and not any(name.startswith(stem) for name in there):
                found.setdefault(package, place)
        return found


def read(folder: AppFolder, used: Optional[Collection[str]] = None) -> Requirements:
    """Return what an app requires; never raises for its content.

    Args:
        folder: the app's files.
        used: the Python files that the app uses; None for all of them.

    """
    files = folder.python_files() if used is None else list(used)
    lists = requirements_source.read(folder)
    entries = [requirement_lines.read(line) for line in lists.lines]
    findings = [*lists.findings, *(_not_there(one) for one in _without_folder(folder, entries))]
    packages = _local(folder, entries, files)
    known = {one.line for one in entries}
    for package in packages:
        inside = requirements_source.of_package(folder, package.folder)
        entries += [requirement_lines.read(line) for line in inside if line not in known]
        files += [name for name in folder.python_files() if name.startswith(f"{package.path}/")]
    imported = imports.elsewhere(folder, files, [one.path for one in packages])
    entries = [_of_conda(_lifted(one, imported), imported) for one in entries]
    file = requirements_source.source(folder)
    wanted = joined(entries)
    locked, unlocked = _locked(folder, file, wanted, imported)
    for name, one in locked.items():
        extras = wanted[name].extras if name in wanted else set()
        wanted[name] = one.requirement
        wanted[name].extras |= extras
    return Requirements(
        file, entries, wanted, packages, files, locked, unlocked, imported, findings
    )


def _locked(
    folder: AppFolder, file: str, wanted: Dict[str, Requirement], imported: Collection[str]
) -> Tuple[Dict[str, Locked], Dict[str, Locked]]:
    """Return what of the lock beside a list counts, and what does not.

    A lock of a newer Python has helpers that fit that: only versions that are known to run on 3.7
    count then, of those packages that the list names or the code imports.
    """
    every = lock_files.read(folder, file, set(wanted))
    other = {
        name: one
        for name, one in every.items()
        if not one.fits or (name in wanted and not _allows(wanted[name], one.version))
    }
    counting = {name: one for name, one in every.items() if name not in other}
    lock = lock_files.name_of(folder, file)
    if any(not one.fits for one in other.values()) or lock_files.is_of_another_python(folder, lock):
        direct = {name for name in every if name in wanted or module_names(name) & set(imported)}
        counting = {name: one for name, one in counting.items() if name in direct & set(LAST)}
    return counting, other


def _allows(wanted: Requirement, version: str) -> bool:
    try:
        return wanted.specifier.contains(version, prereleases=True)
    except InvalidVersion:
        return False


def _local(folder: AppFolder, entries: List[Entry], files: List[str]) -> List[LocalPackage]:
    """Return the packages that the list names, and those that the code imports."""
    names = sorted({one.local for one in entries if one.local})
    named = [
        local_packages.named(folder, name)
        for name in names
        if local_packages.is_there(folder, name)
    ]
    return named + [one for one in local_packages.find(folder, files) if one.folder not in names]


def _without_folder(folder: AppFolder, entries: List[Entry]) -> List[Entry]:
    return [one for one in entries if one.local and not local_packages.is_there(folder, one.local)]


def _not_there(entry: Entry) -> Finding:
    line = entry.line
    what = f"{line.shown}: there is no {entry.local} in the app's folder"
    fix = "Copy the package into the folder, or delete the line"
    return Finding(line.file, line.number, 1, "CV043", what, fix)


def _lifted(entry: Entry, imported: Collection[str]) -> Entry:
    """Take the version off a helper that needs a newer Python: nobody chose it, `pip freeze` wrote it."""
    if entry.code != "CV040" or entry.wanted is None or module_names(entry.name) & set(imported):
        return entry
    wanted = Requirement(str(entry.wanted))
    wanted.specifier = SpecifierSet()
    return replace(entry, wanted=wanted, code="CV044")


def _of_conda(entry: Entry, imported: Collection[str]) -> Entry:
    """Leave out what conda installs and is no package of Python, as far as is known: a C library."""
    if not entry.line.from_conda:
        return entry
    known = entry.wanted and (is_known(entry.name) or module_names(entry.name) & set(imported))
    if known:
        return replace(entry, code="" if entry.code == "CV042" else entry.code)
    what = entry.what or f"`{entry.name}` is imported nowhere, and need not be a package of Python"
    return replace(entry, wanted=None, code="", what=what)


def joined(entries: List[Entry]) -> Dict[str, Requirement]:
    """Return the packages of a list, each once; of two exact versions the later one counts."""
    found: Dict[str, Requirement] = {}
    for entry in entries:
        if entry.wanted and not entry.line.only_limits:
            found[key(entry)] = both(found.get(key(entry), entry.wanted), entry.wanted)
    there = {normal(one.name) for one in found.values()}
    for entry in entries:
        limit = entry.wanted
        if limit and entry.line.only_limits and counts(limit):
            if entry.name in there:
                found[entry.name] = both(found.get(entry.name, limit), limit)
            elif entry.name in brought(there):
                found[entry.name] = limit
    return found


def key(entry: Entry) -> str:
    """Return by what `Requirements.wanted` has a line: name and environment marker; "" for none."""
    if entry.wanted is None:
        return ""
    return f"{entry.name};{entry.wanted.marker}" if entry.wanted.marker else entry.name


def both(first: Requirement, second: Requirement) -> Requirement:
    """Return what meets two requirements of one package."""
    both = Requirement(str(second))
    both.extras |= first.extras
    pins = [{str(one) for one in each.specifier if "==" in str(one)} for each in (first, second)]
    if not all(pins):  # else both are exact, and the later one counts
        both.specifier &= first.specifier
    return both
