"""The closure of what a Python file imports of its package."""

from __future__ import annotations

from pathlib import Path

import pytest
from classvm.base import imports


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a package of two packages."""
    texts = {
        "top/start.py": "import json\nfrom ..low import a\nfrom . import b\n",
        "top/b.py": "def f():\n    from ..low.c import (\n        x,\n    )\n",
        "low/a.py": "from . import a\n",
        "low/c.py": "",
        "low/unused.py": "",
    }
    for name, text in texts.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        (file.parent / "__init__.py").touch()
        file.write_text(text)
    (tmp_path / "__init__.py").touch()
    return tmp_path


def names(package: Path, found: set[Path]) -> set[str]:
    return {str(path.relative_to(package)) for path in found if path.name != "__init__.py"}


def test_what_is_imported_is_found_wherever_it_stands(package: Path) -> None:
    found = imports.closure(package / "top/start.py")
    assert names(package, found) == {"top/start.py", "top/b.py", "low/a.py", "low/c.py"}
    # Python runs those of the packages on the way.
    assert {package / "__init__.py", package / "low/__init__.py"} <= found


def test_what_is_known_is_left_out(package: Path) -> None:
    found = imports.closure(package / "top/start.py", {package / "top/b.py"})
    assert names(package, found) == {"top/start.py", "low/a.py"}
