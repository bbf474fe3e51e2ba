"""Find packages that lie in the app's folder with a setup.py of their own, and who imports them."""

from __future__ import annotations

import ast
import posixpath
from dataclasses import dataclass
from typing import Collection, Dict, Iterator, List

from . import dockerfile
from .findings import Finding
from .folder import AppFolder
from .roots import BUILD_FILES


@dataclass(frozen=True)
class LocalPackage:
    """A package of the app's folder that has to be installed before it can be imported.

    Attributes:
        folder: where its build file is, such as "toolbox".
        path: the folder that has to be on Python's path instead: "toolbox" or "toolbox/src".
        module: the module that the app imports.
        place: the first import, such as "shelf/books.py:1".

    """

    folder: str
    path: str
    module: str
    place: str


def find(folder: AppFolder, used: Collection[str]) -> List[LocalPackage]:
    """Return the packages of an app's folder that the files it uses import, by folder."""
    found: Dict[str, LocalPackage] = {}
    imports = _imports(folder, used)
    for build_file in folder.files:
        home, name = posixpath.split(build_file)
        if home and name in BUILD_FILES:
            for path in (home, f"{home}/src"):
                for module in _modules(folder, path):
                    if module in imports:
                        place = imports[module]
                        found.setdefault(home, LocalPackage(home, path, module, place))
    return [found[home] for home in sorted(found)]


def named(folder: AppFolder, package: str) -> LocalPackage:
    """Return the package in a folder, or the wheel, that the list of requirements names."""
    inside = f"{package}/src" if package != "." else "src"
    # The app's own folder is on the path anyway.
    plain = package != "." and any(_modules(folder, package))
    nested = not plain and any(_modules(folder, inside))
    return LocalPackage(package, inside if nested else package, "", "")


def is_there(folder: AppFolder, package: str) -> bool:
    """Tell whether a path that the list of requirements names is a folder or a file of the app."""
    return folder.has(package) or any(name.startswith(_below(package)) for name in folder.files)


def _below(path: str) -> str:
    """Return how the paths of a folder's files begin."""
    return "" if path == "." else f"{path}/"


def _imports(folder: AppFolder, used: Collection[str]) -> Dict[str, str]:
    """Return the first place of each imported module that does not lie at the top of the folder."""
    places: Dict[str, str] = {}
    for file in sorted(used):
        for node in ast.walk(folder.tree(file)):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names = [node.module]
            for top in (name.partition(".")[0] for name in names):
                if not folder.has(f"{top}.py") and not folder.has(f"{top}/__init__.py"):
                    places.setdefault(top, f"{file}:{getattr(node, 'lineno', 1)}")
    return places


def _modules(folder: AppFolder, path: str) -> Iterator[str]:
    """Yield the names that can be imported once a folder is on Python's path."""
    for file in folder.python_files():
        if not file.startswith(_below(path)):
            continue
        first, _, rest = file[len(_below(path)) :].partition("/")
        if not rest and first not in BUILD_FILES:
            yield first[: -len(".py")]
        elif rest == "__init__.py":
            yield first


def check(folder: AppFolder, used: Collection[str], listed: str) -> Iterator[Finding]:
    """Yield those that only a Dockerfile installs, or nothing.

    Args:
        folder: the app's folder.
        used: the Python files that the app uses.
        listed: the file that lists its requirements, or "".

    """
    lines = folder.text(listed).split() if listed else []
    for one in find(folder, used):
        if {f"./{one.folder}", one.folder, f"./{one.folder}/"} & set(lines):
            continue
        fix = f"Write `./{one.folder}` into {listed or 'requirements.txt'}"
        line = _installed(folder, one.folder)
        if line:
            what = f"it installs ./{one.folder}, which {one.place} needs: the list does not name it"
            yield Finding("Dockerfile", line, 1, "CV056", what, fix)
        else:
            file, _, number = one.place.rpartition(":")
            what = f"`{one.module}` lies in {one.path}/, and nothing installs it"
            yield Finding(file, int(number), 1, "CV056", what, fix)


def _installed(folder: AppFolder, package: str) -> int:
    """Return the line of the Dockerfile that installs a package of the folder, 0 for none."""
    if not folder.has("Dockerfile"):
        return 0
    for one in dockerfile.read(folder.text("Dockerfile")):
        words = [word.strip("\"'[],").rstrip("/") for word in one.rest.split()]
        named = {package, f"./{package}", f"/src/{package}"} & set(words)
        if one.name == "RUN" and "install" in words and named:
            return one.line
    return 0
