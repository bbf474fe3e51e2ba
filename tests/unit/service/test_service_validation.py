"""Parameters are checked quickly, and judged as connexion judges them."""

from __future__ import annotations

from typing import Any

import pytest
from connexion.decorators.validation import ParameterValidator
from src import patterns
from src.validation import ClearParameterValidator

PARAMETERS: list[dict[str, Any]] = [
    {"schema": {"type": "integer", "minimum": 2}},
    {"schema": {"type": "number", "maximum": 1e3}},
    {"schema": {"type": "boolean"}},
    {"schema": {"type": "string", "pattern": r"^\d+$", "maxLength": 3}},
    {"schema": {"type": "string", "format": "ipv4"}},
    {"schema": {"type": "string", "enum": ["a", "b"], "nullable": True}},
    {"schema": {"type": "array", "items": {"type": "integer"}}},
    {"schema": {"type": "object", "required": ["a"]}},
    # As Swagger 2.0 has it.
    {"type": "integer", "required": True},
]
VALUES = ["1", "2", "12", "1234", "-1", "2.5", "a", "b", "true", "null", "", "1\n", "127.0.0.1"]
VALUES_OF_LISTS = [["1", "2"], ["1", "x"], [], {"a": 1}, {}]


def parameter(number: int, place: str = "query") -> dict[str, Any]:
    return {"name": "p", "in": place, **PARAMETERS[number]}


@pytest.mark.parametrize("number", range(len(PARAMETERS)))
@pytest.mark.parametrize("value", [None, *VALUES, *VALUES_OF_LISTS])
def test_a_value_is_right_where_connexion_says_so(number: int, value: object) -> None:
    [translated] = patterns.translate([parameter(number)])
    validator = ClearParameterValidator([parameter(number)], api=None)
    [ours] = validator.parameters["query"]
    expected = ParameterValidator.validate_parameter("query", value, translated)
    found = validator.validate_parameter("query", value, ours)
    assert (found is None) == (expected is None), (found, expected)


def test_a_right_value_is_not_checked_by_connexion_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(
        ParameterValidator, "validate_parameter", staticmethod(lambda *args: asked.append(args[1]))
    )
    validator = ClearParameterValidator([parameter(0)], api=None)
    [ours] = validator.parameters["query"]
    for value in ("2", "1"):
        validator.validate_parameter("query", value, ours)
    assert asked == ["1"]


def test_a_file_of_a_form_is_left_to_connexion() -> None:
    file = {"name": "p", "in": "formData", "type": "file"}
    validator = ClearParameterValidator([file], api=None)
    [ours] = validator.parameters["formData"]
    assert not validator.accepts("formdata", "2", ours)
