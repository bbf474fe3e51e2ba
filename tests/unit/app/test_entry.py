"""Which program starts an app; test_reading.py has the usual ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.app import entry
from classvm.app.folder import AppFolder
from classvm.app.plan import make_plan
from classvm.app.reading import read
from classvm.app.review import review

if TYPE_CHECKING:
    from pathlib import Path

MAKES = """\
from flask import Flask
def create_app(name='a'):
    from .items import bp
    return Flask(name)
"""
HOLDS = "from flask import Flask\napp = Flask(__name__)\nfrom app import routes\n"
USES = "from shop import create_app\napp = create_app()\n"
CALLS = "from p.server import main\nmain()\n"
SCRIPT = "cd .\nexec python3 -u b.py\n"
MAIN = "import connexion\ndef main():\n    app = connexion.App('a')\n    app.run(port=80)\n"
SERVER = "from flask import Flask\napp = Flask('a')\n"


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "found"),
    [
        # A package is not run: who uses it, or what gunicorn would be told.
        ({"shop/__init__.py": MAKES, "wsgi.py": USES}, "wsgi.py"),
        ({"app/__init__.py": HOLDS, "blog.py": "from app import app\n"}, "blog.py"),
        ({"app/__init__.py": HOLDS}, "app:app"),
        ({"shop/__init__.py": MAKES}, "shop:create_app()"),
        ({"shop/__init__.py": MAKES, "test_it.py": USES}, "shop:create_app()"),
        # A file that only defines the function that starts it.
        ({"p/__init__.py": "", "p/server.py": MAIN, "p/__main__.py": CALLS}, "-m p"),
        ({"p/__init__.py": "", "p/server.py": MAIN}, "p.server:main()"),
        ({"serve.py": MAIN.replace("main()", "main(port)")}, "serve.py"),
        # Inside a package, names relative to it.
        ({"p/__init__.py": "", "p/run.py": SERVER + "from . import a\n", "p/a.py": ""}, "-m p.run"),
        ({"src/p/__init__.py": "", "setup.py": "", "src/p/__main__.py": SERVER}, "-m p"),
        # Other files that start it.
        ({"a.py": SERVER, "b.py": SERVER, "Procfile": "web: gunicorn b:app"}, "b.py"),
        ({"p/a.py": SERVER, "p/b.py": SERVER, "Procfile": "web: gunicorn p.b:app -w 2"}, "p.b:app"),
        ({"p/__init__.py": MAKES, "Dockerfile": "CMD gunicorn 'p:create_app()'"}, "p:create_app()"),
        ({"a.py": SERVER, "b.py": SERVER, ".flaskenv": "FLASK_APP=b.py\nFLASK_ENV=a"}, "b.py"),
        ({"a.py": SERVER, "b.py": SERVER, "Makefile": "run:\n\tFLASK_APP=b flask run"}, "b.py"),
        (
            {"shop/__init__.py": MAKES, "a.py": SERVER, "Dockerfile": "ENV FLASK_APP=shop"},
            "shop:create_app()",
        ),
        (
            {
                "a.py": SERVER,
                "b.py": SERVER,
                "Dockerfile": 'CMD ["sh", "./run.sh"]',
                "run.sh": SCRIPT,
            },
            "b.py",
        ),
        ({"a.py": SERVER, ".flaskenv": "FLASK_APP=gone.py"}, "a.py"),
    ],
)
def test_the_entry(files: dict[str, str], found: str, tmp_path: Path) -> None:
    assert read(written(tmp_path, files)).entry == found


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("a.py", "a.py"),
        ("b.py", ""),
        ("-m p", "p/__main__.py"),
        ("-m q", "src/q/__main__.py"),
        ("-m src.q", "src/q/__main__.py"),
        ("p:app", "p/__main__.py"),
        ("r:f()", "r/__init__.py"),
    ],
)
def test_the_file_of_a_program(name: str, file: str, tmp_path: Path) -> None:
    there = ("a.py", "p/__main__.py", "src/q/__main__.py", "r/__init__.py")
    folder = AppFolder(written(tmp_path, dict.fromkeys(there, "")))
    folder.roots = ("src",)
    assert entry.file_of(folder, name) == file


def test_a_file_of_a_folder_may_import_from_the_top(tmp_path: Path) -> None:
    files = {"service/run.py": SERVER + "import common\n", "common.py": ""}
    plan = make_plan(read(written(tmp_path, files)), 4711)
    assert (plan.words, plan.path) == (("service/run.py",), (".",))
    assert not any("local package" in note for note in plan.notes)


def test_the_modules_of_a_source_folder(tmp_path: Path) -> None:
    spec = "openapi: 3.0.0\ninfo: {title: a, version: a}\npaths:\n  /a:\n    get:\n"
    spec += "      operationId: zoo.bees.all\n      responses: {200: {description: a}}\n"
    serve = (
        "import connexion\nfrom zoo import bees\napp = connexion.App('zoo')\napp.add_api('a.yml')\n"
    )
    files = {
        "pyproject.toml": "[project]\nname = 'zoo'\ndependencies = ['connexion==2.14.2']\n",
        "src/zoo/__init__.py": "",
        "src/zoo/__main__.py": f"{serve}app.run(port=80)\n",
        "src/zoo/bees.py": "def all(): return 1\n",
        "src/zoo/a.yml": spec,
    }
    app, findings = review(written(tmp_path, files))
    assert [one for one in findings if one.severity == "error"] == []
    assert make_plan(app, 4711).path == ("src",)
    (tmp_path / "src/zoo/bees.py").write_text("def each(): return 1\n")
    assert [one.code for one in review(tmp_path).findings if one.severity == "error"] == ["CV012"]


def test_an_app_a_week(tmp_path: Path) -> None:
    files = {"week5/server.py": SERVER, "week6/server.py": SERVER, "week6/other.py": SERVER}
    (one,) = (one for one in review(written(tmp_path, files)).findings if one.code == "CV087")
    assert (one.severity, one.what) == ("error", "there is an app in each of week5 and week6")
    assert "`APP=…/week6`" in one.fix
    written(tmp_path, {"classvm.yml": "entry: week6/server.py"})
    assert not any(one.code == "CV087" for one in review(tmp_path).findings)


@pytest.mark.parametrize(
    "files",
    [
        {"Makefile": "run:\n\tpython week6/server.py\n"},
        {"server.py": SERVER},
        {"week5/server.py": "x = 1"},
    ],
)
def test_it_is_clear_which_app_is_meant(files: dict[str, str], tmp_path: Path) -> None:
    both = {"week5/server.py": SERVER, "week6/server.py": SERVER}
    findings = review(written(tmp_path, {**both, **files})).findings
    assert not any(one.code == "CV087" for one in findings)
