"""Find the files that a Python file needs of its package: what it imports, directly or not."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Collection, Iterator, Set

PYTHON_IMPORT = re.compile(r"^[ \t]*from[ \t]+\.[^\n(]*(?:\([^)]*\))?", re.MULTILINE)


def closure(path: Path, known: Collection[Path] = ()) -> Set[Path]:
    """Return a Python file with all that it needs, without the files that are known already."""
    found: Set[Path] = set()
    waiting = [path]
    while waiting:
        here = waiting.pop()
        if here not in found and here not in known:
            found.add(here)
            waiting += imported(here)
    return found


def imported(path: Path) -> Iterator[Path]:
    """Yield the files that a Python file imports by relative imports."""
    for statement in PYTHON_IMPORT.findall(path.read_text(encoding="utf-8")):
        node = ast.parse(statement.strip()).body[0]
        assert isinstance(node, ast.ImportFrom)  # noqa: S101 - what the pattern finds is one
        parts = (node.module or "").split(".")
        base = path.parents[node.level - 1]
        package = base.joinpath(*parts)
        # Python runs the `__init__.py` of each package on the way.
        candidates = [base.joinpath(*parts[:n], "__init__.py") for n in range(len(parts) + 1)]
        candidates.append(package.with_suffix(".py"))
        candidates += [package / f"{alias.name}.py" for alias in node.names]
        yield from filter(Path.is_file, candidates)
