"""What an app's code imports from elsewhere: parsed, never imported."""

from __future__ import annotations

import ast
import collections
import posixpath
import re
from typing import Collection, Dict, Iterator, Set, Tuple

from .folder import AppFolder
from .python37 import STANDARD_LIBRARY

# Code that no running service imports.
ASIDE = re.compile(r"(^|/)(tests?|docs?|examples?)/|(^|/)(test_\w*|\w*_test|conftest|setup)\.py$")

# What unpickles imports the modules of what was pickled.
UNSEEN = {"pickle", "joblib", "dill", "cloudpickle", "shelve", "importlib", "runpy", "pkgutil"}


def elsewhere(
    folder: AppFolder, used: Collection[str], roots: Collection[str] = ()
) -> Dict[str, str]:
    """Return the first place ("app.py:3") of each top-level module that is not the app's own.

    Args:
        folder: the app's files.
        used: the Python files that the app uses.
        roots: further folders on the path, those of local packages.

    """
    own = {name for root in ("", *folder.roots, *roots) for name in modules(folder, root)}
    found: Dict[str, str] = {}
    for file in sorted(used, key=lambda name: (name.count("/"), name)):
        if ASIDE.search(file):
            continue
        beside = own | modules(folder, posixpath.dirname(file))
        for line, module in _imports(folder.tree(file)):
            if module not in beside and module.lower() not in STANDARD_LIBRARY:
                found.setdefault(module, f"{file}:{line}")
    return found


def modules(folder: AppFolder, root: str) -> Set[str]:
    """Return the modules and packages that lie in a folder; "" and "." are the app's own."""
    start = f"{root}/" if root not in ("", ".") else ""
    names = {
        name[len(start) :].partition("/")
        for name in folder.files
        if name.startswith(start) and name.endswith(".py")
    }
    return {head[:-3] if not rest else head for head, _, rest in names}


def loads_unseen(folder: AppFolder, used: Collection[str]) -> bool:
    """Tell whether the code imports in ways that are not seen: what a pickle holds, names made at run time."""
    return any(module in UNSEEN for file in used for _, module in _imports(folder.tree(file)))


def _imports(tree: ast.AST) -> Iterator[Tuple[int, str]]:
    """Yield line and top-level module of each import that has to succeed."""
    for node in needed(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                yield node.lineno, one.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, (node.module or "").partition(".")[0]


def needed(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes below one, the outer ones first, but for what may fail for lack of a module."""
    waiting = collections.deque(ast.iter_child_nodes(tree))
    while waiting:
        node = waiting.popleft()
        if not _is_optional(node):
            yield node
            waiting.extend(ast.iter_child_nodes(node))


def _is_optional(node: ast.AST) -> bool:
    """Tell whether what is inside may fail: `try: … except ImportError`, `if TYPE_CHECKING`."""
    if isinstance(node, ast.Try):
        caught = "".join(ast.dump(one.type) for one in node.handlers if one.type)
        return "ImportError" in caught or "ModuleNotFoundError" in caught
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
