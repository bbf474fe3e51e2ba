"""How an app is deployed by the kit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.app.plan import Plan, SpecFile, make_plan
from classvm.app.reading import read

if TYPE_CHECKING:
    from pathlib import Path

FLASK = "import flask\napp = flask.Flask(__name__)\napp.run(port=80)\n"


def plan(folder: Path, files: dict[str, str]) -> Plan:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text)
    return make_plan(read(folder), 4711)


def test_a_small_app(tmp_path: Path) -> None:
    made = plan(tmp_path, {"server.py": FLASK, "requirements.txt": "flask\n"})
    assert (made.entry, made.port, made.dockerfile, made.contract) == (
        "server.py",
        80,
        "kit",
        "gate",
    )
    assert made.notes[0].startswith("spec: none · entry: server.py · port 80 → 4711")


def test_what_classvm_yml_says(tmp_path: Path) -> None:
    said = "dockerfile: own\ncontract: warn\nkeep: [data]\n"
    made = plan(tmp_path, {"server.py": FLASK, "classvm.yml": said})
    assert (made.dockerfile, made.contract, made.keep) == ("own", "warn", ("data",))


@pytest.mark.parametrize(
    ("code", "own_server"),
    [
        ("import flask", False),
        ("from flask.views import MethodView", False),
        ("import flask_restful", False),
        ("def f():\n    import connexion", False),
        ("from .flask import x", True),
        ("import flasks", True),
        ("import http.server", True),
    ],
)
def test_an_own_server(code: str, own_server: bool, tmp_path: Path) -> None:
    assert plan(tmp_path, {"server.py": code, "classvm.yml": "entry: server.py"}).own_server == (
        own_server
    )


def test_the_base_path_of_the_code(tmp_path: Path) -> None:
    code = (
        "import connexion\napp = connexion.App(__name__)\n"
        "app.add_api('a.yml', base_path='/x')\napp.add_api('b.yml')\n"
    )
    spec = "swagger: '2.0'\nbasePath: /y\n"
    made = plan(tmp_path, {"server.py": code, "a.yml": spec, "b.yml": spec})
    assert made.specs == (SpecFile("a.yml", "/x"), SpecFile("b.yml", None))
