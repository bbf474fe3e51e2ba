"""The service copes with every spec that leaves out what OpenAPI lets one leave out."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

import pytest
from connexion.exceptions import InvalidSpecification
from server import create_app
from src import examples, patterns, spec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask.testing import FlaskClient

OK: dict[str, Any] = {"responses": {"200": {"description": "fine"}}}
SQUARE = {**OK, "operationId": "handlers.square"}
NUMBER = {"name": "a", "in": "path", "required": True, "schema": {"type": "integer"}}


def handlers() -> types.ModuleType:
    """Return a module as a student would write it."""
    found = types.ModuleType("handlers")
    vars(found)["square"] = lambda a=2, **_: {"square": a * a}
    vars(found)["create"] = lambda body=None, **_: ({"made": body}, 201)
    vars(found)["refuse"] = lambda **_: ({"why": "undeclared"}, 400)
    return found


@pytest.fixture(autouse=True)
def _handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "handlers", handlers())


SPARSE: dict[str, dict[str, Any]] = {
    "no servers": {"paths": {"/square": {"get": SQUARE}}},
    "absolute server": {
        "servers": [{"url": "https://host.example/api/"}],
        "paths": {"/square": {"get": SQUARE}},
    },
    "no example": {"paths": {"/square/{a}": {"get": {**SQUARE, "parameters": [NUMBER]}}}},
    "shared parameters": {"paths": {"/square/{a}": {"parameters": [NUMBER], "get": SQUARE}}},
    "example in the schema": {
        "paths": {
            "/square/{a}": {
                "get": {
                    **SQUARE,
                    "parameters": [{**NUMBER, "schema": {"type": "integer", "example": 3}}],
                }
            }
        }
    },
    "named examples": {
        "paths": {
            "/square/{a}": {
                "get": {**SQUARE, "parameters": [{**NUMBER, "examples": {"x": {"value": 7}}}]}
            }
        }
    },
    "required query": {
        "paths": {"/square": {"get": {**SQUARE, "parameters": [{**NUMBER, "in": "query"}]}}}
    },
    "optional query": {
        "paths": {
            "/square": {
                "get": {
                    **SQUARE,
                    "parameters": [{"name": "a", "in": "query", "schema": {"type": "integer"}}],
                }
            }
        }
    },
    "reference to a schema": {
        "paths": {
            "/square/{a}": {
                "get": {
                    **SQUARE,
                    "parameters": [{**NUMBER, "schema": {"$ref": "#/components/schemas/N"}}],
                }
            }
        },
        "components": {"schemas": {"N": {"type": "integer", "minimum": 5}}},
    },
    "no tags, no summary": {
        "paths": {"/things": {"post": {**OK, "operationId": "handlers.create"}}}
    },
}


@pytest.mark.parametrize("name", SPARSE)
def test_a_sparse_spec_is_shown_and_every_link_works(
    build: Callable[..., FlaskClient], name: str
) -> None:
    client = build(SPARSE[name])
    page = client.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    for operation in spec.operations():
        assert operation.summary
        assert operation.try_link.replace("&", "&amp;") in page.get_data(as_text=True)
        assert client.get(operation.try_link).status_code == 200, operation.try_link


def test_a_value_that_only_a_pattern_describes_links_to_the_docs(
    build: Callable[..., FlaskClient],
) -> None:
    name = {**NUMBER, "schema": {"type": "string", "pattern": "^x+$"}}
    build({"paths": {"/square/{a}": {"get": {**SQUARE, "parameters": [name]}}}})
    assert spec.operations()[0].try_link.startswith(spec.docs_path())


def test_an_undeclared_status_is_passed_on(build: Callable[..., FlaskClient]) -> None:
    client = build({"paths": {"/refuse": {"get": {**OK, "operationId": "handlers.refuse"}}}})
    assert client.get("/refuse").status_code == 400


def test_a_bad_parameter_without_a_description_is_explained(
    build: Callable[..., FlaskClient],
) -> None:
    limited = {**NUMBER, "schema": {"type": "integer", "maximum": 9}}
    client = build({"paths": {"/square/{a}": {"get": {**SQUARE, "parameters": [limited]}}}})
    answer = client.get("/square/10")
    assert answer.status_code == 400
    assert "parameter 'a' is wrong: 10 is greater than the maximum of 9" in answer.get_data(
        as_text=True
    )


# --- Made-up examples ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "maximum": 0}, 0),
        ({"type": "integer", "minimum": 5, "exclusiveMinimum": True}, 6),
        ({"type": "number", "default": 2.5}, 2.5),
        ({"type": "string"}, "a"),
        ({"type": "string", "minLength": 3}, "aaa"),
        ({"type": "string", "format": "date"}, "2024-01-31"),
        ({"type": "string", "enum": ["red", "blue"]}, "red"),
        ({"type": "string", "pattern": "^x$"}, None),
        ({"type": "boolean"}, True),
        ({"type": "object"}, None),
        ({}, "a"),
    ],
)
def test_an_example_is_made_up_from_the_schema(schema: dict[str, Any], expected: object) -> None:
    assert examples.of_schema(schema) == expected


# --- Patterns -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^a$", r"(?a)^a\Z"),
        (r"^a\$$", r"(?a)^a\$\Z"),
        (r"^[$\]]$", r"(?a)^[$\]]\Z"),
        ("^(a$|b$)", r"(?a)^(a\Z|b\Z)"),
    ],
)
def test_the_end_of_a_pattern_is_the_end_of_the_text(pattern: str, expected: str) -> None:
    assert patterns.to_python(pattern) == expected


def test_a_part_of_a_spec_is_translated_and_not_changed() -> None:
    part = {"properties": {"pattern": {"type": "string", "pattern": "a$"}}}
    translated = patterns.translate(part)
    assert translated["properties"]["pattern"]["pattern"] == r"(?a)a\Z"
    assert part == {"properties": {"pattern": {"type": "string", "pattern": "a$"}}}


def test_a_body_that_ends_with_a_line_end_is_refused(build: Callable[..., FlaskClient]) -> None:
    content = {"application/json": {"schema": {"type": "string", "pattern": r"^\d+$"}}}
    create = {**OK, "operationId": "handlers.create", "requestBody": {"content": content}}
    create["responses"] = {"201": {"description": "made"}}
    client = build({"paths": {"/things": {"post": create}}})
    assert client.post("/things", json="12").status_code == 201
    for bad in ("12\n", "\N{ARABIC-INDIC DIGIT ONE}"):
        assert client.post("/things", json=bad).status_code == 400, bad


@pytest.mark.parametrize("text", ["", "- a list\n", "a text\n"])
def test_what_is_no_contract_is_refused_as_connexion_does(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "master.yml").write_text(text)
    monkeypatch.setattr(spec, "SPEC_FILE", tmp_path / "master.yml")
    spec.load.cache_clear()
    try:
        with pytest.raises(InvalidSpecification):
            create_app()
    finally:
        spec.load.cache_clear()
