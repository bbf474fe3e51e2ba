"""Find imports of the app's own modules that are not where Python looks for them."""

from __future__ import annotations

import ast
import posixpath
from typing import Collection, Dict, Iterator, List, Mapping, Set

from . import imports
from .findings import Finding, did_you_mean, listed
from .folder import AppFolder
from .packages import MODULES
from .python37 import STANDARD_LIBRARY

CHANGES_PATH = "sys.path"


def check(
    folder: AppFolder, files: Mapping[str, str], elsewhere: Collection[str]
) -> Iterator[Finding]:
    """Yield the imports that end with ModuleNotFoundError, as far as that is sure.

    Args:
        folder: the app's files.
        files: the Python files that it uses, each with the place that leads to it.
        elsewhere: modules that its packages bring, as far as is known.

    """
    if any(CHANGES_PATH in folder.text(file) for file in files):
        return  # where Python looks is then decided at run time
    search = _Search(folder, elsewhere)
    for file, place in files.items():
        for node in imports.needed(folder.tree(file)):
            for name in _names(node):
                what, fix = search.problem(file, name)
                if what:
                    what += f"; {place} leads here" if place else ""
                    yield Finding(
                        file,
                        getattr(node, "lineno", 1),
                        getattr(node, "col_offset", 0) + 1,
                        "CV022",
                        what,
                        fix,
                    )


def _names(node: ast.AST) -> List[str]:
    """Return the modules that an import names, with dots."""
    if isinstance(node, ast.Import):
        return [one.name for one in node.names]
    return (
        [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
    )


class _Search:
    """Looks for modules among the app's files."""

    def __init__(self, folder: AppFolder, elsewhere: Collection[str]) -> None:
        self.folder = folder
        self.elsewhere = set(elsewhere) | set(MODULES)
        self.folders: Set[str] = {""}
        self.places: Dict[str, List[str]] = {}  # of each module, by its own name: the dotted paths
        for name in folder.python_files():
            parts = name[: -len(".py")].split("/")
            self.folders.update("/".join(parts[:count]) for count in range(1, len(parts)))
            stem = parts[:-1] if parts[-1] == "__init__" else parts
            if stem and not imports.ASIDE.search(name):
                self.places.setdefault(stem[-1], []).append(".".join(stem))

    def problem(self, file: str, module: str) -> tuple[str, str]:
        """Return what is wrong with the import of a module and how to mend it; "" for nothing."""
        first, _, rest = module.partition(".")
        roots = ("", posixpath.dirname(file), *self.folder.roots)
        homes = [root for root in roots if self._is_there(posixpath.join(root, first))]
        if homes:
            return self._below([posixpath.join(root, first) for root in homes], module, rest)
        if first.lower() in STANDARD_LIBRARY or first in self.elsewhere:
            return "", ""
        others = self.places.get(first, [])
        if len(others) != 1:
            return "", ""
        what = f"Python finds no module `{first}` from here; it is `{others[0]}`"
        return what, f"Write `from {others[0]} import …`"

    def _below(self, homes: List[str], module: str, rest: str) -> tuple[str, str]:
        """Return what is wrong with the rest of a module's name, inside of the app's own package."""
        for part in rest.split(".") if rest else ():
            folders = [home for home in homes if home in self.folders]
            inside = [f"{home}/{part}" for home in folders if self._is_there(f"{home}/{part}")]
            if not folders:  # a module, not a package
                return "", ""
            if not inside:
                known = sorted(imports.modules(self.folder, folders[0]) - {"__init__", "__main__"})
                close = did_you_mean(part, known)
                what = f"there is no {folders[0]}/{part}.py, which `{module}` names; there is {listed(known)}"
                return (
                    what,
                    f"Did you mean `{close}`?" if close else "Add the file, or correct the import",
                )
            homes = inside
        return "", ""

    def _is_there(self, path: str) -> bool:
        return path in self.folders or self.folder.has(f"{path}.py")
