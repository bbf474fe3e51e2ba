"""What the table of tests/apps does not show."""

from __future__ import annotations

from pathlib import Path

import pytest
from classvm.app.reading import read

SERVICE = Path(__file__).parents[3] / "service"
APP = "import connexion\napp = connexion.App(__name__)\napp.add_api('a.yml'{})\napp.run(port=80)\n"
PLAIN = APP.format("")
MADE = "import connexion\nx_app = connexion.App(__name__)\n"


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text)
    return folder


def test_the_labs_own_service() -> None:
    app = read(SERVICE)
    assert [(one.document.file, one.base_path) for one in app.specs] == [("master.yml", "/e222")]
    assert (app.entry, app.requirements, app.dockerfile) == ("server.py", "requirements.in", "lab")
    assert app.port


@pytest.mark.parametrize(
    ("spec", "argument", "base"),
    [
        ("openapi: 3.0.0\nservers: [{url: 'http://h:1/a/b/'}]", "", "/a/b"),
        ("openapi: 3.0.0\nservers: [{url: 'http://[/'}]", "", ""),
        ("openapi: 3.0.0", "", ""),
        ("swagger: '2.0'\nbasePath: /c", "", "/c"),
        ("swagger: '2.0'\nbasePath: /c", ", base_path='/d'", "/d"),
    ],
)
def test_the_base_path(spec: str, argument: str, base: str, tmp_path: Path) -> None:
    app = read(written(tmp_path, {"a.py": APP.format(argument), "a.yml": spec}))
    assert [one.base_path for one in app.specs] == [base]


@pytest.mark.parametrize(
    ("files", "entry"),
    [
        ({"b.py": PLAIN, "server.py": PLAIN}, "server.py"),
        ({"b.py": PLAIN, "server.py": PLAIN, "Dockerfile": 'CMD ["python3.7", "./b.py"]'}, "b.py"),
        (
            {"b.py": PLAIN, "server.py": PLAIN, "Makefile": "docker-start:\n\tpython  b.py\n"},
            "b.py",
        ),
        ({"b.py": PLAIN, "server.py": PLAIN, "Makefile": "train:\n\tpython b.py\n"}, "server.py"),
        ({"b.py": PLAIN, "c.py": PLAIN, "Dockerfile": "CMD gunicorn -b :80 c:app"}, "c.py"),
        ({"p/__main__.py": PLAIN, "Dockerfile": "CMD python -m p"}, "-m p"),
        ({"p/__main__.py": PLAIN}, "-m p"),
        (
            {"a/app.py": "from flask import Flask\napp = Flask('a')\napp.run()", "b/app.py": PLAIN},
            "b/app.py",
        ),
        (
            {"config.py": MADE, "server.py": "import config\nx_app = config.x_app\nx_app.run()"},
            "server.py",
        ),
        ({"server.py": "import socket\nsocket.create_server()", "other.py": "f()"}, "server.py"),
        ({"server.py": "import socket\ndef f(): pass"}, ""),
        ({"a.txt": ""}, ""),
    ],
)
def test_the_entry(files: dict[str, str], entry: str, tmp_path: Path) -> None:
    assert read(written(tmp_path, files)).entry == entry


def test_a_second_program_of_the_folder_does_not_count(tmp_path: Path) -> None:
    other = PLAIN.replace("a.yml", "b.yml").replace("80", "70")
    files = {
        "mock.py": other,
        "server.py": "from made import app\napp.run(port=90)",
        "made.py": PLAIN,
    }
    specs = {"a.yml": "openapi: 3.0.0", "b.yml": "openapi: 3.0.0"}
    app = read(written(tmp_path, {**files, **specs}))
    assert [one.document.file for one in app.specs] == ["a.yml"]
    assert app.port == 90


def test_a_spec_that_the_code_names_and_is_not_there(tmp_path: Path) -> None:
    app = read(written(tmp_path, {"a.py": APP.format(""), "b.yml": "openapi: 3.0.0"}))
    assert [(one.code, one.place) for one in app.findings] == [("CV004", "a.py:3")]
    assert [one.document.file for one in app.specs] == ["b.yml"]


def test_a_spec_is_found_by_its_content(tmp_path: Path) -> None:
    files = {"x/y.json": '{"swagger": "2.0"}', "z.yml": "a: openapi", "w.yaml": "'openapi': 3.0.0"}
    app = read(written(tmp_path, files))
    assert [one.document.file for one in app.specs] == ["w.yaml", "x/y.json"]


@pytest.mark.parametrize("argument", ["FOLDER / 'a.yml'", "chosen()"])
def test_a_spec_whose_path_is_worked_out_belongs_to_the_only_call(
    argument: str, tmp_path: Path
) -> None:
    files = {
        "b/app.py": f"{MADE}x_app.add_api({argument})\nx_app.run()\n",
        "b/a.yml": "openapi: 3.0.0",
    }
    (spec,) = read(written(tmp_path, files)).specs
    assert spec.document.file == "b/a.yml"
    assert spec.call
    assert spec.call.file == "b/app.py"


def test_connexion_does_not_read_a_spec_in_utf_16(tmp_path: Path) -> None:
    written(tmp_path, {"a.py": PLAIN})
    (tmp_path / "a.yml").write_text("openapi: 3.0.0\n", encoding="utf-16")
    assert [f"{one.code} {one.place}" for one in read(tmp_path).findings] == ["CV001 a.yml"]
    (tmp_path / "a.yml").write_text("openapi: 3.0.0\n", encoding="utf-8-sig")
    assert read(tmp_path).findings == []
