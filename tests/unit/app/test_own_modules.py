"""Imports of the app's own modules that are not where Python looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.app import own_modules
from classvm.app.folder import AppFolder
from classvm.app.review import review

if TYPE_CHECKING:
    from pathlib import Path

FILES = ("src/helpers.py", "src/words/__init__.py", "src/words/count.py", "tools/deep/odd.py")


def told(folder: Path, line: str, roots: tuple[str, ...] = ()) -> list[str]:
    for name in (*FILES, "server.py"):
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(line if name == "server.py" else "")
    app = AppFolder(folder)
    app.roots = roots
    found = own_modules.check(app, {"server.py": ""}, ["brought"])
    return [f"{one.place} {one.what}. {one.fix}" for one in found]


@pytest.mark.parametrize(
    ("line", "what", "fix"),
    [
        ("from helpers import f", "it is `src.helpers`", "Write `from src.helpers import …`"),
        ("import odd", "it is `tools.deep.odd`", "Write `from tools.deep.odd import …`"),
        ("import src.helper", "there is no src/helper.py", "Did you mean `helpers`?"),
        ("from src.words.gone import f", "there is no src/words/gone.py", "Add the file"),
    ],
)
def test_a_module_that_python_does_not_find(line: str, what: str, fix: str, tmp_path: Path) -> None:
    (one,) = told(tmp_path, line)
    assert one.startswith("server.py:1:1 ")
    assert what in one
    assert fix in one


@pytest.mark.parametrize(
    "line",
    [
        "from src import helpers",
        "import src.words.count",
        "from src.helpers.inside import a",  # a name of the module, for all that is seen
        "import json, flask, brought, unknown, os.path",
        "import sys\nsys.path.append('src')\nimport helpers",
        "try:\n    import helpers\nexcept ImportError:\n    helpers = None",
        "from . import gone",
    ],
)
def test_a_module_that_is_found_or_may_be(line: str, tmp_path: Path) -> None:
    assert told(tmp_path, line) == []


def test_a_root_is_searched_too(tmp_path: Path) -> None:
    assert told(tmp_path, "import helpers", ("src",)) == []


def test_a_folder_without_an_init_file(tmp_path: Path) -> None:
    told(tmp_path, "from flask import Flask\nfrom src import helper, words\napp = Flask('a')\n")
    (tmp_path / "requirements.txt").write_text("flask==2.2.5\n")
    (error,) = (one for one in review(tmp_path).findings if one.severity == "error")
    assert (error.code, error.place) == ("CV022", "server.py:2:1")
    assert error.what == "src/ has no module `helper`; it has helpers and words"
