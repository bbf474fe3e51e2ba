"""Find files of the app that hide a package, or a module of Python, because they bear its name."""

from __future__ import annotations

import posixpath
from typing import Iterator, Set

from . import imports
from .findings import Finding
from .folder import AppFolder
from .packages import MODULES, brought
from .python37 import STANDARD_LIBRARY

# What has to be there for an app of either.
FRAMEWORKS = ("flask", "connexion")
# Python has read them before it starts a program.
READ_BEFORE = {"builtins", "sys", "os", "io", "abc", "codecs", "site", "stat", "posixpath", "time"}


def check(folder: AppFolder, started: str, used: Set[str]) -> Iterator[Finding]:
    """Yield the files at the beginning of Python's search path that hide others.

    Args:
        folder: the app's files.
        started: the file of the program.
        used: the modules and packages that the code imports, by their first word.

    """
    frameworks = [name for name in FRAMEWORKS if name in used]
    needed = {*frameworks, *brought(frameworks)}
    packages = {module for module, name in MODULES.items() if name in needed}
    for root in dict.fromkeys(["", posixpath.dirname(started), *folder.roots]):
        for module in sorted(imports.modules(folder, root)):
            names = (f"{module}.py", f"{module}/__init__.py")
            paths = (posixpath.join(root, name) for name in names)
            file = next(filter(folder.has, paths), "")
            if not file:
                continue
            fix = f"Give it another name, such as `my_{module}`"
            if module in packages:
                what = f"it hides the package `{module}`, which the app needs"
                yield Finding(file, 0, 0, "CV085", what, fix)
            elif module in STANDARD_LIBRARY - READ_BEFORE:
                what = f"it bears the name of Python's own module `{module}`"
                yield Finding(file, 0, 0, "CV086", what, fix)
