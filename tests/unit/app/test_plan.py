"""How an app is deployed by the kit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from classvm.app import requirements_plan
from classvm.app.plan import Plan, SpecFile, make_plan
from classvm.app.reading import read

if TYPE_CHECKING:
    from pathlib import Path

    from classvm.app.folder import AppFolder

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
    made = plan(tmp_path, {"server.py": FLASK, "classvm.yml": said, "Dockerfile": "FROM a"})
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


def test_folders_that_have_to_be_writable(tmp_path: Path) -> None:
    code = FLASK + "open('log/a.txt', 'w')\nopen('data/in/a.txt', 'w')\n"
    said = "keep: [data]\nwritable: [cache/]\n"
    made = plan(tmp_path, {"server.py": code, "classvm.yml": said})
    assert (made.writable, made.keep) == (("cache", "data", "log"), ("data",))
    assert "server.py:4 writes `log/a.txt`: a copy of cache and log takes it" in str(made.notes)
    assert "kept from release to release: data" in made.notes


def test_local_packages(tmp_path: Path) -> None:
    files = {"server.py": FLASK + "import tool", "box/setup.py": "", "box/tool.py": ""}
    made = plan(tmp_path, files)
    assert made.path == ("box",)
    assert "box: a local package, which is used from the folder" in made.notes


def test_an_app_for_aiohttp_serves_by_itself(tmp_path: Path) -> None:
    code = "import connexion\napp = connexion.AioHttpApp(__name__)\napp.run(port=9090)\n"
    made = plan(tmp_path, {"server.py": code})
    assert (made.own_server, made.port) == (True, 9090)
    assert "connexion[aiohttp" in made.requirements
    assert "gunicorn" not in made.requirements


@pytest.mark.parametrize(
    ("entry", "command", "words"),
    [
        ("server.py", "", ("server.py",)),
        ("server.py", 'CMD ["python", "server.py", "--port", "80"]', ("server.py", "--port", "80")),
        ("server.py", "CMD python ./server.py 80", ("server.py", "80")),
        ("server.py", "CMD python server.py $PORT", ("server.py",)),
        ("server.py", "CMD python server.py && true", ("server.py",)),
        ("server.py", 'CMD ["make", "start"]', ("server.py",)),
        ("-m shelf", 'ENTRYPOINT ["python"]\nCMD ["-m", "shelf", "-v"]', ("-m", "shelf", "-v")),
        ("a b.py", "", ("a b.py",)),
    ],
)
def test_the_command_line(entry: str, command: str, words: tuple[str, ...], tmp_path: Path) -> None:
    files = {"a b.py": FLASK, "server.py": FLASK, "shelf/__main__.py": FLASK}
    said = f"entry: {entry}\n"
    assert plan(tmp_path, {**files, "classvm.yml": said, "Dockerfile": command}).words == words


@pytest.mark.parametrize(
    ("dockerfile", "said", "note"),
    [
        ("FROM ubuntu:18.04\nRUN pip install flask", "", "builds with its own (`dockerfile: own`"),
        ("FROM ubuntu:18.04\nRUN make model", "", "without effect: line 2 `RUN make model`"),
        ("RUN a\n" * 6, "", "`RUN a` and 2 more (`dockerfile: own`"),
        ("FROM ubuntu:18.04\nRUN make model", "dockerfile: own", "Dockerfile: yours is built"),
    ],
)
def test_what_becomes_of_the_dockerfile_is_told(
    dockerfile: str, said: str, note: str, tmp_path: Path
) -> None:
    made = plan(tmp_path, {"server.py": FLASK, "Dockerfile": dockerfile, "classvm.yml": said})
    assert note in "\n".join(made.notes)
    # In the image of the student's own Dockerfile is what that installs.
    assert made.dockerfile == "kit" or "is added" not in "\n".join(made.notes)


def test_several_numbers_in_a_path_need_an_older_flask(tmp_path: Path) -> None:
    number = "{name: %s, in: path, required: true, schema: {type: number}}"
    spec = (
        "openapi: 3.0.0\npaths:\n  /{a}/{b}:\n    get:\n"
        f"      parameters: [{number % 'a'}, {number % 'b'}]\n"
    )
    seen = {}
    adapt = requirements_plan.adapt

    def spy(folder: AppFolder, **options: Any) -> requirements_plan.Adapted:
        seen.update(options)
        return adapt(folder, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requirements_plan, "adapt", spy)
        plan(tmp_path, {"server.py": FLASK, "a.yml": spec})
        assert (seen["number_paths"], seen["serves"]) == (True, True)
        plan(tmp_path, {"server.py": "print()", "a.yml": "openapi: 3.0.0\n"})
        assert (seen["number_paths"], seen["serves"]) == (False, False)
