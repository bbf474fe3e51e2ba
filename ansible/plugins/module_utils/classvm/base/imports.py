"""Find the files that a Python file needs of its package: what it imports, directly or not."""

from __future__ import annotations

import ast
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Collection, Set, Tuple

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


# Several plugins need the same modules, and so does the host program.
@lru_cache(maxsize=None)
def imported(path: Path) -> Tuple[Path, ...]:
    """Return the files that a Python file imports by relative imports."""
    # As text: a deploy looks at a thousand places, and waits for it.
    found: Set[str] = set()
    statements = map(str.strip, PYTHON_IMPORT.findall(path.read_text(encoding="utf-8")))
    for node in ast.parse("\n".join(statements)).body:
        assert isinstance(node, ast.ImportFrom)  # noqa: S101 - what the pattern finds is one
        parts = node.module.split(".") if node.module else []
        base = str(path.parents[node.level - 1])
        package = os.path.join(base, *parts)
        # Python runs the `__init__.py` of each package on the way.
        found |= {os.path.join(base, *parts[:n], "__init__.py") for n in range(len(parts) + 1)}
        found.add(f"{package}.py")
        found |= {os.path.join(package, f"{alias.name}.py") for alias in node.names}
    return tuple(Path(name) for name in found if os.path.isfile(name))
