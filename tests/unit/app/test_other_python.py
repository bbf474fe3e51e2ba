from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.app import other_python
from classvm.app.folder import AppFolder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        ("Pipfile", "[requires]\npython_version = '3.8'", "Pipfile:2:1 ==3.8.*"),
        ("Pipfile", "[requires]\npython_full_version = '3.7.9'", ""),
        ("pyproject.toml", "[project]\nrequires-python = '>=3.8'", "pyproject.toml:2:1 >=3.8"),
        ("pyproject.toml", "[tool.poetry.dependencies]\npython = '^3.7'", ""),
        (
            "pyproject.toml",
            "[tool.poetry.dependencies]\npython = '^3.9'",
            "pyproject.toml:2:1 >=3.9,<4",
        ),
        ("pyproject.toml", "[project]\nrequires-python = 3", ""),
        ("setup.cfg", "[options]\npython_requires = >=3.10", "setup.cfg:2:1 >=3.10"),
        ("setup.cfg", "[options", ""),
        ("setup.py", "setup(\n    python_requires='>=3.8')", "setup.py:2:1 >=3.8"),
        ("setup.py", "setup(python_requires=P)", ""),
        ("environment.yml", "dependencies:\n- python=3.9.1", "environment.yml:2:1 ==3.9.1"),
        ("environment.yml", "dependencies:\n- python=3.7.16=h1", ""),
        ("runtime.txt", "python-3.8.12\n", "runtime.txt:1:1 ==3.8.*"),
        (".python-version", "3.7.9", ""),
        (".python-version", "pypy", ""),
        ("Pipfile", "[requires", ""),
    ],
)
def test_a_file_that_asks_for_another_python(
    file: str, text: str, found: str, tmp_path: Path
) -> None:
    (tmp_path / file).write_text(text)
    told = [
        f"{one.place} {one.what.split('`')[1]}" for one in other_python.check(AppFolder(tmp_path))
    ]
    assert told == [found] * bool(found)
