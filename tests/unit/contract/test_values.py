from __future__ import annotations

import time
from typing import Any

import pytest
from classvm.contract import schemas, values
from classvm.contract.document import Json, Node

DOCUMENT: Node = schemas.to_json_schema(
    {
        "components": {
            "schemas": {
                "Pet": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "id": {"type": "integer", "readOnly": True},
                        "name": {"type": "string"},
                        "tag": {"type": "string", "nullable": True},
                        "parent": {"$ref": "#/components/schemas/Pet"},
                        "children": {
                            "type": "array",
                            "items": {"$ref": "#/components/schemas/Pet"},
                        },
                    },
                },
                "Dog": {
                    "allOf": [
                        {"$ref": "#/components/schemas/Pet"},
                        {"properties": {"bark": {"type": "boolean"}}, "required": ["bark"]},
                    ]
                },
                "Endless": {
                    "type": "object",
                    "required": ["next"],
                    "properties": {"next": {"$ref": "#/components/schemas/Endless"}},
                },
            }
        }
    }
)
PET = {"$ref": "#/components/schemas/Pet"}


def made(schema: Json) -> Any:
    return values.Maker(DOCUMENT).value(schemas.to_json_schema(schema))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer"},
        {"type": "integer", "minimum": 5},
        {"type": "integer", "minimum": 5, "exclusiveMinimum": True},
        {"type": "integer", "maximum": -5, "exclusiveMaximum": True},
        {"type": "integer", "minimum": 10, "maximum": 20, "multipleOf": 7},
        {"type": "integer", "minimum": -3, "maximum": -3},
        {"type": "number", "minimum": 0.2, "maximum": 0.3},
        {"type": "number", "minimum": 0.5, "maximum": 1, "exclusiveMaximum": True},
        {"type": "number", "multipleOf": 0.5, "minimum": 2.2},
        {"type": "boolean"},
        {"type": "string"},
        {"type": "string", "minLength": 10},
        {"type": "string", "maxLength": 2},
        {"type": "string", "pattern": "^[a-z]{3}$"},
        {"type": "string", "pattern": "^[a-z]+$", "minLength": 5},
        *({"type": "string", "format": name} for name in (*values.FORMATS, "password")),
        {"type": "string", "enum": ["a", "b"]},
        {"type": "string", "nullable": True},
        {"type": "array", "items": {"type": "integer"}},
        {"type": "array", "items": {"type": "integer"}, "minItems": 3, "uniqueItems": True},
        {"type": "array", "items": {"type": "string"}, "minItems": 3, "uniqueItems": True},
        {"type": "array", "items": {"enum": [4, 5, 6]}, "minItems": 2, "uniqueItems": True},
        {"type": "array", "items": {"type": "integer"}, "maxItems": 0},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "required": ["a"]},
        {"properties": {"a": {"type": "integer"}}},
        PET,
        {"$ref": "#/components/schemas/Dog"},
        {"oneOf": [{"type": "integer"}, {"type": "string"}]},
        {"anyOf": [{"type": "string", "minLength": 3}, {"type": "integer"}], "maxLength": 4},
        {"oneOf": [{"type": "number"}, {"type": "integer"}, {"type": "string"}]},
        {"allOf": [{"minimum": 3}, {"maximum": 4}], "type": "integer"},
        {"allOf": [{"oneOf": [PET]}]},
        {"minimum": 4},
        {},
    ],
)
def test_what_is_made_up_keeps_its_schema(schema: Node) -> None:
    schema = schemas.to_json_schema(schema)
    value = made(schema)
    assert values.is_valid(DOCUMENT, schema, value), value


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer", "example": 42}, 42),
        ({"type": "integer", "default": 0}, 0),
        ({"enum": [None, "b"]}, "b"),
        ({"type": "object", "properties": {"a": {"example": "x"}}}, {"a": "x"}),
    ],
)
def test_what_the_spec_gives_counts(schema: Node, value: Json) -> None:
    assert made(schema) == value


def test_every_member_is_sent_but_those_that_only_answers_have() -> None:
    assert made(PET) == {"name": "text", "tag": "text", "children": []}


def test_a_file_is_bytes_and_always_valid() -> None:
    value = made({"type": "string", "format": "binary"})
    assert value == values.FILE
    assert values.is_valid({}, {"type": "string"}, value)


@pytest.mark.parametrize(
    ("schema", "made_up", "guessed"),
    [
        ({"example": 1}, False, False),
        ({"type": "integer"}, True, False),
        ({"type": "string", "format": "date"}, True, False),
        ({"type": "string", "pattern": "^a$"}, True, False),
        ({"type": "string"}, True, True),
        ({"type": "string", "format": "binary"}, True, True),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, True, True),
        ({}, True, True),
    ],
)
def test_it_is_known_where_a_value_comes_from(
    schema: Node, *, made_up: bool, guessed: bool
) -> None:
    maker = values.Maker(DOCUMENT)
    maker.value(schema)
    assert (maker.made_up, maker.guessed) == (made_up, guessed)


def test_another_text_is_taken_where_any_is_allowed() -> None:
    assert values.Maker({}, "1").value({"type": "string"}) == "1"


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/components/schemas/Endless"},
        {"type": "array", "minItems": 10**9, "items": {"type": "integer"}},
        {"type": "string", "minLength": 10**9},
        {"type": "string", "pattern": "^(a{9}){9}$"},
        {"type": "integer", "minimum": 2, "maximum": 1},
    ],
)
def test_what_cannot_be_made_up_ends_soon(schema: Node) -> None:
    started = time.process_time()
    value = made(schema)
    assert time.process_time() - started < 1
    assert len(str(value)) < 50_000


@pytest.mark.parametrize(
    ("schema", "value", "sent"),
    [
        (PET, {"id": 1, "name": "fox", "new": 2}, {"name": "fox", "new": 2}),
        ({"type": "array", "items": PET}, [{"id": 1}, 7], [{}, 7]),
        ({"$ref": "#/components/schemas/Dog"}, {"id": 1, "bark": True}, {"bark": True}),
        (PET, {"parent": {"id": 1, "name": "owl"}}, {"parent": {"name": "owl"}}),
        ({}, {"id": 1}, {"id": 1}),
        (None, "text", "text"),
    ],
)
def test_what_only_answers_have_is_not_sent(schema: Json, value: Json, sent: Json) -> None:
    assert values.sendable(DOCUMENT, schema, value) == sent
