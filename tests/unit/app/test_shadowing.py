"""Files that bear the names of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.app import shadowing
from classvm.app.folder import AppFolder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("file", "used", "codes"),
    [
        ("flask.py", {"connexion"}, ["CV085"]),
        ("yaml/__init__.py", {"connexion"}, ["CV085"]),
        ("yaml/data.txt", {"connexion"}, []),
        ("yaml.py", {"flask"}, []),  # flask needs none
        ("bot/click.py", {"flask"}, ["CV085"]),  # beside the program
        ("src/flask.py", {"flask"}, []),
        ("random.py", {"flask"}, ["CV086"]),
        ("src/random.py", {"flask"}, []),
        ("server.py", {"flask"}, []),
    ],
)
def test_a_name_that_is_taken(file: str, used: set[str], codes: list[str], tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("")
    found = list(shadowing.check(AppFolder(tmp_path), "bot/run.py", used))
    assert [(one.code, one.file) for one in found] == [(code, file) for code in codes]
