"""The small apps of tests/apps, each with the findings that a teacher would give."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from classvm.app.codes import RULES
from classvm.app.formats import FORMATS
from classvm.app.plan import make_plan
from classvm.app.review import review
from hypothesis import given, settings, strategies

APPS = Path(__file__).parents[2] / "apps"
TABLE = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(APPS.glob("*.yml"))}
SERVICE = Path(__file__).parents[3] / "service"
HOST_PORT = 4711


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize("name", TABLE)
def test_an_app_has_the_findings_of_the_table(name: str, tmp_path: Path) -> None:
    desired: dict[str, Any] = TABLE[name]
    app, findings = review(written(tmp_path, desired["files"]))
    assert app.summary(HOST_PORT) == desired["summary"]
    found = [f"{one.severity} {one.code} {one.place}" for one in findings]
    assert sorted(found) == sorted(desired["findings"])
    told = "\n".join(f"{one.what} {one.fix}" for one in findings)
    assert [text for text in desired.get("text", ()) if text not in told] == []


@pytest.mark.parametrize("name", [name for name, app in TABLE.items() if "plan" in app])
def test_an_app_has_the_plan_of_the_table(name: str, tmp_path: Path) -> None:
    desired: dict[str, Any] = TABLE[name]
    plan = make_plan(review(written(tmp_path, desired["files"])).app, HOST_PORT)
    for key, value in desired["plan"].items():
        assert getattr(plan, key) == (tuple(value) if isinstance(value, list) else value)
    assert [text for text in desired["notes"] if text not in "\n".join(plan.notes)] == []


@pytest.mark.parametrize("name", TABLE)
def test_every_app_has_a_plan_within_a_second(name: str, tmp_path: Path) -> None:
    app = review(written(tmp_path, TABLE[name]["files"])).app
    started = time.process_time()
    assert make_plan(app, HOST_PORT).notes[0] == TABLE[name]["summary"]
    assert time.process_time() - started < 1


def test_errors_come_first(tmp_path: Path) -> None:
    findings = review(written(tmp_path, TABLE["python"]["files"])).findings
    order = [one.severity for one in findings]
    assert order == sorted(order, key=["error", "warning", "note"].index)


def test_most_codes_are_in_the_table() -> None:
    """The others have tests of their own modules."""
    found = {line.split()[1] for app in TABLE.values() for line in app["findings"]}
    assert set(RULES) - found == {
        "CV002",
        "CV004",
        "CV018",
        "CV038",
        "CV057",
        "CV061",
        "CV062",
        "CV063",
        "CV064",
        "CV065",
        "CV066",
        "CV084",
        "CV085",
        "CV086",
        "CV087",
        "CV088",
    }


def test_the_labs_own_service_has_no_findings() -> None:
    started = time.process_time()
    assert review(SERVICE).findings == []
    assert time.process_time() - started < 3


def test_an_empty_folder_has_no_program(tmp_path: Path) -> None:
    assert {one.code for one in review(tmp_path).findings} == {"CV027", "CV003"}


def test_a_spec_that_the_app_serves_has_to_be_one(tmp_path: Path) -> None:
    serve = "import connexion\napp = connexion.App(__name__)\napp.add_api('a.yml')\n"
    written(tmp_path, {"a.py": serve, "a.yml": "", "requirements.txt": "connexion==2.14.2\n"})
    assert [f"{one.code} {one.place}" for one in review(tmp_path).findings] == ["CV008 a.yml"]


def test_a_folder_with_nothing_but_a_notebook(tmp_path: Path) -> None:
    written(tmp_path, {"Untitled.ipynb": "{}"})
    (one,) = (one for one in review(tmp_path).findings if one.code == "CV027")
    assert one.fix.endswith("`jupyter nbconvert --to script` makes one of Untitled.ipynb")


def test_a_configuration_that_mentions_swagger_is_no_refused_spec(tmp_path: Path) -> None:
    plain = "from flask import Flask\napp = Flask(__name__)\n"
    compose = "services:\n  swagger: {image: a}\n"
    written(tmp_path, {"a.py": plain, "compose.yml": compose, "requirements.txt": "flask==2.2.5\n"})
    assert review(tmp_path).findings == []


# --- whatever a folder holds, there is an answer -------------------------------------------------

YAML_VALUES = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.text(max_size=8),
    lambda inner: (
        strategies.lists(inner, max_size=3)
        | strategies.dictionaries(
            strategies.sampled_from(
                ["paths", "/a", "get", "responses", "200", "parameters", "schema", "$ref", "allOf",
                 "name", "in", "operationId", "components", "schemas", "info", "servers", "url"]
            )
            | strategies.integers(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)  # fmt: skip


def answered(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        started = time.process_time()
        app, findings = review(Path(folder))
        assert app.summary(HOST_PORT)
        assert all(as_text(findings) for as_text in FORMATS.values())
        assert time.process_time() - started < 1


@settings(max_examples=150)
@given(document=YAML_VALUES)
def test_any_document_has_an_answer(document: object) -> None:
    spec = {"openapi": "3.0.0", "paths": document, "components": document, "servers": document}
    answered(
        {
            "master.yml": yaml.safe_dump(spec).encode(),
            "classvm.yml": yaml.safe_dump(document).encode(),
        }
    )


@settings(max_examples=100)
@given(content=strategies.binary(max_size=200))
@pytest.mark.parametrize(
    "name",
    ["master.yml", "a.py", "requirements.txt", "Dockerfile", "Makefile", "classvm.yml", ".env"],
)
def test_any_bytes_have_an_answer(name: str, content: bytes) -> None:
    head = b"openapi: 3.0.0\n" if name == "master.yml" else b""
    answered({name: head + content})
