"""What a quick test finds valid, jsonschema finds valid, too; it finds what is right valid."""

from __future__ import annotations

import math
from typing import Any

import hypothesis
import pytest
from connexion.decorators.validation import draft4_format_checker
from connexion.json_schema import Draft4ResponseValidator
from hypothesis import strategies
from src import simple_values

SCHEMAS: list[dict[str, Any]] = [
    {"type": "string"},
    {"type": "string", "pattern": r"(?a)^\d+\Z", "description": "a number"},
    {"type": "string", "minLength": 2, "maxLength": 3, "nullable": True},
    {"type": "string", "enum": ["a", "bb"]},
    {"type": "integer", "minimum": -1, "maximum": 3, "example": 1},
    {"type": "number", "minimum": 0.5, "maximum": 1.5},
    {"type": "number", "components": {}},
    {"type": "boolean"},
]
RIGHT: list[list[Any]] = [
    ["", "x"],
    ["0", "123"],
    ["ab", "abc"],
    ["a", "bb"],
    [-1, 3],
    [0.5, 1, 1.5],
    [0, -2.5, 1e300, math.inf],
    [True, False],
]
VALUES = (
    strategies.none()
    | strategies.booleans()
    | strategies.integers(-3, 5)
    | strategies.floats(-1, 2)
    | strategies.sampled_from([math.nan, math.inf, -math.inf, 10**400])
    | strategies.text("ab1\n\N{ARABIC-INDIC DIGIT ONE}", max_size=4)
    | strategies.lists(strategies.integers(), max_size=1)
    | strategies.dictionaries(strategies.just("a"), strategies.integers(), max_size=1)
)


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
@hypothesis.given(value=VALUES)
def test_what_is_surely_valid_is_valid(schema: dict[str, Any], value: object) -> None:
    test = simple_values.test_for(schema)
    assert test is not None
    library = Draft4ResponseValidator(schema, format_checker=draft4_format_checker)
    assert library.is_valid(value) or not test(value)


@pytest.mark.parametrize(("schema", "values"), list(zip(SCHEMAS, RIGHT, strict=True)), ids=str)
def test_what_is_right_is_surely_valid(schema: dict[str, Any], values: list[Any]) -> None:
    test = simple_values.test_for(schema)
    assert test is not None
    assert all(map(test, values))


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        {"type": "array", "items": {"type": "integer"}},
        {"type": ["string", "null"]},
        {"type": "string", "format": "ipv4"},
        {"type": "integer", "enum": [1]},
        {"type": "integer", "exclusiveMinimum": True, "minimum": 1},
        {"type": "number", "multipleOf": 2},
        {"type": "string", "allOf": [{"maxLength": 1}]},
        {"type": "string", "writeOnly": True},
        {"pattern": "x"},
    ],
    ids=str,
)
def test_every_other_schema_is_left_to_the_library(schema: dict[str, Any]) -> None:
    assert simple_values.test_for(schema) is None
