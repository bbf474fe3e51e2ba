from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.app import answers
from classvm.app.folder import AppFolder
from classvm.app.located import load

if TYPE_CHECKING:
    from pathlib import Path

PROPERTIES = "properties: {name: {type: string}, price: {type: number}}"
THING = f"{{type: object, required: [name, price], {PROPERTIES}}}"
RESPONSES = "responses: {200: {description: a, schema: {type: object}}}"
SWAGGER = f"swagger: '2.0'\npaths: {{/a: {{get: {{operationId: a.b, {RESPONSES}}}}}}}\n"


def found(folder: Path, returned: str, schema: str, status: str = "200") -> list[str]:
    (folder / "a.py").write_text(f"def b(x):\n    return {returned}\n")
    content = f"content: {{application/json: {{schema: {schema}}}}}"
    responses = f"responses: {{'{status}': {{description: a, {content}}}}}"
    text = (
        f"openapi: 3.0.0\npaths: {{/a: {{get: {{operationId: a.b, {responses}}}}}}}\n"
        f"components: {{schemas: {{Thing: {THING}}}}}\n"
    )
    return [one.what for one in answers.check(AppFolder(folder), load("a.yml", text), None)]


@pytest.mark.parametrize(
    ("returned", "schema"),
    [
        ("{'name': 'tea', 'price': 2}", THING),
        ("{'name': f'{x}', 'price': x}", THING),
        ("{**x}", THING),
        ("{x: 1}", THING),
        ("jsonify(x)", THING),
        ("x", "{type: string}"),
        ("[1, x]", "{type: array, items: {type: integer}}"),
        ("[i for i in x]", "{type: array}"),
        ("'%s' % x", "{type: string}"),
        ("True", "{type: boolean}"),
        ("None", "{type: string}"),
        ("{'problem': 1}, 404", THING),
        ("{'a': 1}, x", THING),
        ("'a'", "{$ref: '#/nowhere'}"),
        ("'a'", "{oneOf: [{type: integer}]}"),
    ],
)
def test_what_may_be_right_is_not_found(returned: str, schema: str, tmp_path: Path) -> None:
    assert found(tmp_path, returned, schema) == []


@pytest.mark.parametrize(
    ("returned", "schema", "problem"),
    [
        ("{'name': 'tea', 'prize': 2}", "{$ref: '#/components/schemas/Thing'}", "no `price`"),
        ("{'name': 1, 'price': x}", THING, "`name` is an integer, promised is a string"),
        ("{'price': '%d' % x, 'name': x}", THING, "`price` is a string, promised is a number"),
        ("[x, 'a']", "{type: array, items: {type: integer}}", "item 1 of the body is a string"),
        ("{'a': 1}", "{type: array}", "the body is an object, promised is an array"),
        ("True", "{type: integer}", "the body is a boolean, promised is an integer"),
        ("{'a': 1}, 203", "{}", "the status 203, which a.yml:2 does not declare: 200"),
        ("('a', 203, {'X': 'y'})", "{}", "the status 203"),
    ],
)
def test_what_is_wrong_is_found(returned: str, schema: str, problem: str, tmp_path: Path) -> None:
    (what,) = found(tmp_path, returned, schema)
    assert what.startswith("GET /a")
    assert problem in what


@pytest.mark.parametrize(
    ("status", "returned", "count"),
    [("201", "{'a': 1}", 1), ("2XX", "{'a': 1}", 0), ("default", "{'a': 1}", 0), ("201", "x", 0)],
)
def test_without_a_status_it_is_200(status: str, returned: str, count: int, tmp_path: Path) -> None:
    assert len(found(tmp_path, returned, "{}", status)) == count


@pytest.mark.parametrize(
    "code",
    [
        "@wrapped\ndef b(): return 1",
        "def b():\n    def c(): return 1\n    return c()",
        "from c import b",
    ],
)
def test_only_what_surely_is_the_answer_is_compared(code: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(code)
    assert list(answers.check(AppFolder(tmp_path), load("a.yml", SWAGGER), None)) == []


def test_a_swagger_2_schema_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def b(): return 1")
    assert len(list(answers.check(AppFolder(tmp_path), load("a.yml", SWAGGER), None))) == 1


@pytest.mark.parametrize(
    ("body", "status", "is_found"),
    [
        ("print({'name': 'tea'})", "200", True),
        ("...", "201", True),
        ("if x:\n        return", "2XX", False),  # which 204 keeps
        ("return x", "200", False),
        ("yield x", "200", False),
        ("raise ValueError", "200", False),
        ("flask.abort(404)", "200", False),
        ("print(x)", "204", False),
        ("print(x)", "default", False),
        ("print(x)", "404", False),
    ],
)
def test_a_handler_without_an_answer(
    body: str, status: str, is_found: bool, tmp_path: Path
) -> None:
    (tmp_path / "a.py").write_text(f"def b(x):\n    {body}\n")
    responses = f"responses: {{'{status}': {{description: a}}}}"
    spec = f"openapi: 3.0.0\npaths: {{/a: {{get: {{operationId: a.b, {responses}}}}}}}\n"
    findings = list(answers.check(AppFolder(tmp_path), load("a.yml", spec), None))
    assert [one.what for one in findings] == (
        ["GET /a: `b` returns nothing (a.yml:2 promises an answer)"] if is_found else []
    )
