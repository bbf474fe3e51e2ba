"""What the table of tests/apps does not show."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import pytest
from classvm.app import handlers
from classvm.app.code import SpecCall
from classvm.app.folder import AppFolder
from classvm.app.located import load

CALL = SpecCall("server.py", 1, "a.yml", "", False, False, False)  # noqa: FBT003 - three answers "no"
OK = "responses: {'200': {description: a}}"


def found(folder: Path, operation: str, code: str, url: str = "/a") -> list[str]:
    (folder / "a.py").write_text(code)
    text = f"openapi: 3.0.0\npaths:\n  {url}:\n    post: {{operationId: a.b, {operation} {OK}}}\n"
    return [one.code for one in handlers.check(AppFolder(folder), load("a.yml", text), CALL)]


BODY = "requestBody: {content: {application/json: {}}},"
FORM_SCHEMA = "{schema: {properties: {up-load: {}, note: {}}}}"
FORM = f"requestBody: {{content: {{multipart/form-data: {FORM_SCHEMA}}}}},"
NAMED = "requestBody: {x-body-name: pet, content: {application/json: {}}},"
NAMED_SCHEMA = "requestBody: {content: {application/json: {schema: {x-body-name: pet}}}},"
BESIDE = "requestBody: {content: {application/json: {schema: {x-body-name: pet, $ref: '#/x'}}}},"
QUERY = "parameters: [{name: first-day, in: query}, {name: X-Key, in: header}],"


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        (BODY, "def b(body): pass"),
        (BODY, "async def b(body, user=None): pass"),
        (FORM, "def b(upload, note): pass"),
        (NAMED, "def b(pet): pass"),
        (NAMED_SCHEMA, "def b(pet): pass"),
        (BESIDE, "def b(pet): pass"),
        (QUERY, "def b(firstday=None): pass"),
        ("", "def b(**kwargs): pass"),
        ("", "@wrapped\ndef b(what): pass"),
        ("", "from c import b"),
        ("", "try:\n    from c import b\nexcept ImportError:\n    b = None"),
        ("", "from c import *"),
        ("", "class b: pass"),
        ("", "b = make()"),
    ],
)
def test_what_a_handler_may_be(operation: str, code: str, tmp_path: Path) -> None:
    assert found(tmp_path, operation, code) == []


@pytest.mark.parametrize(
    ("operation", "code", "finding"),
    [
        ("", "def b(needed): pass", "CV015"),
        (QUERY, "def b(*, firstDay): pass", "CV015"),
        (BODY, "def b(pet): pass", "CV015"),
        ("", "def b(request): pass", "CV015"),
        ("", "if False:\n    def c(): pass", "CV012"),
    ],
)
def test_what_it_may_not_be(operation: str, code: str, finding: str, tmp_path: Path) -> None:
    assert found(tmp_path, operation, code) == [finding]


def test_flasks_parameters_are_handed_over(tmp_path: Path) -> None:
    assert found(tmp_path, "", "def b(c): pass", "/a/<int:c>") == []
    assert found(tmp_path, "", "def b(d): pass", "/a/<int:c>") == ["CV015"]


def test_names_are_seen_wherever_they_are_defined() -> None:
    code = "import os.path as p\nx, (y, z) = 1, (2, 3)\nq: int = 1\nwith a:\n    def w(): pass\n"
    assert set(handlers.defined(ast.parse(code).body)) == {"p", "x", "y", "z", "q", "w"}


@pytest.mark.parametrize(
    ("name", "files", "code", "what"),
    [
        ("api.helo.get", {"api/hello.py": "def get(): pass"}, "CV013", "no api/helo.py"),
        ("api.helo", {"api/hello.py": ""}, "CV012", "api/__init__.py has no function `helo`"),
        ("api.views.Clok.get", {"api/views.py": "class Clock: pass"}, "CV012", "no class `Clok`"),
        ("api.word-count.get", {"api/word-count.py": "def get(): pass"}, "CV083", "a hyphen"),
    ],
)
def test_which_part_of_a_name_is_wrong(
    name: str, files: dict[str, str], code: str, what: str, tmp_path: Path
) -> None:
    (tmp_path / "api").mkdir()
    for file, text in {"api/__init__.py": "", **files}.items():
        (tmp_path / file).write_text(text)
    spec = load("a.yml", f"openapi: 3.0.0\npaths:\n  /a:\n    get: {{operationId: {name}, {OK}}}\n")
    (finding,) = handlers.check(AppFolder(tmp_path), spec, CALL)
    assert finding.code == code
    assert what in finding.what


def test_parameters_that_differ_are_named_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def b(text): pass")
    parameters = "\n      parameters:\n        - {name: word, in: query}"
    text = f"openapi: 3.0.0\npaths:\n  /a:\n    get:\n      operationId: a.b{parameters}\n"
    (finding,) = handlers.check(AppFolder(tmp_path), load("a.yml", text), CALL)
    assert "what a.yml:7 hands over: word" in finding.what


def test_a_handler_may_ask_for_the_request_by_the_name_of_the_call(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def b(request): pass")
    spec = load("a.yml", f"paths: {{/a: {{get: {{operationId: a.b, {OK}}}}}}}")
    call = dataclasses.replace(CALL, context="request")
    assert handlers.check(AppFolder(tmp_path), spec, call) == []


@pytest.mark.parametrize(
    ("function", "codes"),
    [
        ("a.right", []),
        ("a.rihgt", ["CV012"]),
        ("gone.f", ["CV013"]),
        ("authlib.f", ["CV013"]),
        ("flask_login.f", []),  # of a package
    ],
)
@pytest.mark.parametrize("version", ["2", "3"])
def test_a_function_that_checks_who_asks(
    version: str, function: str, codes: list[str], tmp_path: Path
) -> None:
    (tmp_path / "a.py").write_text("def right(token, required_scopes=None): ...\n")
    schemes = f"{{key: {{type: http, x-bearerInfoFunc: {function}}}}}"
    text = f"swagger: '2.0'\nsecurityDefinitions: {schemes}\n"
    if version == "3":
        text = f"openapi: 3.0.0\ncomponents: {{securitySchemes: {schemes}}}\n"
    found = handlers.check(AppFolder(tmp_path), load("a.yml", text), CALL)
    assert [one.code for one in found] == codes
    assert all(one.line == 2 for one in found)
