from __future__ import annotations

from pathlib import Path

import pytest
from classvm.app import code
from classvm.app.folder import AppFolder

CONNEXION = "import connexion\napp = connexion.FlaskApp(__name__{})\n{}\n"


def read(folder: Path, text: str, name: str = "server.py") -> code.Code:
    (folder / name).parent.mkdir(exist_ok=True, parents=True)
    (folder / name).write_text(text)
    return code.read(AppFolder(folder))


@pytest.mark.parametrize(
    ("text", "port"),
    [
        (CONNEXION.format("", "app.run(port=20000)"), 20000),
        (CONNEXION.format("", "app.run(9090)"), 9090),
        (CONNEXION.format(", port=9090", "app.run()"), 9090),
        (CONNEXION.format("", "app.run()"), 5000),
        (CONNEXION.format("", "app.run(port=int(os.environ.get('PORT', 7000)))"), 7000),
        (CONNEXION.format("", "app.run(port=os.getenv('PORT') or '7001')"), 7001),
        (CONNEXION.format("", "app.run(port=compute())"), 0),
        (CONNEXION.format("", "app.run(port='²')"), 0),
        (CONNEXION.format("", "P = os.getenv('PORT', 7002)\nP = int(P)\napp.run(port=P)"), 7002),
        (CONNEXION.format("", "P = P or 7003\napp.run(port=P)"), 7003),
        (CONNEXION.format("", "P: int = 7004\napp.run(port=P)"), 7004),
        (CONNEXION.format("", "P: int\napp.run(port=P)"), 0),
        ("import flask\nx: flask.Flask = flask.Flask('a')\nx.run(port=82)\n", 82),
        (CONNEXION.format("", "P = Q\nQ = P\napp.run(port=P)"), 0),
        ("from flask import Flask\nP = 81\nx = Flask(__name__)\nx.run('0.0.0.0', P)\n", 81),
        ("from flask import Flask as F\nx = F(__name__)\n", None),
    ],
)
def test_the_port(text: str, port: int | None, tmp_path: Path) -> None:
    starts = read(tmp_path, text).starts
    assert [one.port for one in starts] == ([] if port is None else [port])


@pytest.mark.parametrize(
    ("made", "call", "spec"),
    [
        ("", "app.add_api('a.yml')", "pkg/a.yml"),
        (", specification_dir='./specs/'", "app.add_api('a.yml')", "pkg/specs/a.yml"),
        (", specification_dir='..'", "app.add_api(specification='a.yml')", "a.yml"),
        ("", "app.add_api(find())", ""),
        ("", "F = 'specs'\nF = os.path.join(F, 'a.yml')\napp.add_api(F)", "pkg/specs/a.yml"),
        ("", "F = os.path.join(F, 'a.yml')\napp.add_api(F)", "pkg/a.yml"),
    ],
)
def test_the_spec(made: str, call: str, spec: str, tmp_path: Path) -> None:
    found = read(tmp_path, CONNEXION.format(made, call), "pkg/server.py")
    assert [one.spec for one in found.specs] == [spec]


def test_a_server_under_main_is_not_started_by_an_import(tmp_path: Path) -> None:
    guarded = "if __name__ == '__main__':\n    app.run(debug=True)"
    assert [one.at_import for one in read(tmp_path, CONNEXION.format("", guarded)).starts] == [
        False
    ]
    start = read(tmp_path, CONNEXION.format("", "app.run(debug=True)")).starts[0]
    assert (start.at_import, start.debug) == (True, True)
    function = "def main():\n    app.run()"
    assert not read(tmp_path, CONNEXION.format("", function)).starts[0].at_import


def test_another_run_is_no_server(tmp_path: Path) -> None:
    assert read(tmp_path, "import subprocess\nsubprocess.run(['a'])\n").starts == ()


def test_a_text_that_doubles_line_by_line_ends(tmp_path: Path) -> None:
    doubled = "N = 'a'\n" + "N = os.path.join(N, N)\n" * 60
    assert read(tmp_path, CONNEXION.format("", doubled + "app.add_api(N)")).specs[0].spec == ""
