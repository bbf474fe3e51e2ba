"""Paths that code spells out."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest
from classvm.app.code_paths import CodePaths, inside
from classvm.app.folder import AppFolder

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
import os, tempfile
from pathlib import Path
import settings
from settings import LOGS as LOG_FOLDER
from src import names
HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "data")
ROOT = Path(__file__).resolve().parent.parent
app.config["UPLOADS"] = "up"
TYPED: str = "typed"
ENDLESS = ENDLESS_TOO
ENDLESS_TOO = ENDLESS
"""
SETTINGS = "DB = 'db/notes.db'\nLOGS = 'logs'\n"
MANY = "\n".join(f"A{number} = {'+'.join([f'A{number + 1}'] * 30)}" for number in range(30))


@pytest.fixture
def paths(tmp_path: Path) -> CodePaths:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.py").write_text(FILE + MANY)
    (tmp_path / "src/names.py").write_text("CSV = 'a.csv'")
    (tmp_path / "settings.py").write_text(SETTINGS)
    return CodePaths(AppFolder(tmp_path))


@pytest.mark.parametrize(
    ("expression", "path"),
    [
        ("'a/b.txt'", "a/b.txt"),
        ("'./a/../b'", "b"),
        ("''", "."),
        ("DATA", "data"),
        ("ROOT / 'out' / 'x.txt'", "out/x.txt"),
        ("ROOT.joinpath('a', 'b')", "a/b"),
        ("os.path.join('a', name)", "a/\0"),
        ("'a/' + name + '.txt'", "a/\0.txt"),
        ("f'a/{name}'", "a/\0"),
        ("f'{DATA}/x'", "data/x"),
        ("str(Path('x').absolute())", "x"),
        ("settings.DB", "db/notes.db"),
        ("names.CSV", "a.csv"),
        ("LOG_FOLDER", "logs"),
        ("app.config['UPLOADS']", "up"),
        ("TYPED", "typed"),
        ("os.getcwd()", "."),
        ("os.environ.get('A', 'deflt')", "deflt"),
        ("os.getenv('A')", "\0"),
        ("tempfile.gettempdir()", None),
        ("'/tmp/x'", None),
        ("'../x'", None),
        ("unknown", "\0"),
        ("f(1)", "\0"),
        ("3", "\0"),
        ("'a' % 3", "\0"),
        ("ENDLESS", "\0"),
        ("settings.NOTHING", "\0"),
    ],
)
def test_paths(expression: str, path: str | None, paths: CodePaths) -> None:
    node = ast.parse(expression, mode="eval").body
    assert inside(paths.text(node, "src/a.py")) == path


def test_names_that_multiply_have_an_end(paths: CodePaths) -> None:
    assert len(paths.text(ast.parse("A0", mode="eval").body, "src/a.py")) < 1000
