from __future__ import annotations

import pytest
from classvm.contract import examples
from classvm.contract.document import Json, Node


@pytest.mark.parametrize(
    ("node", "example"),
    [
        ({"example": 0}, 0),
        ({"example": None}, None),
        ({"examples": {"first": {"value": 1}, "second": {"value": 2}}}, 1),
        ({"schema": {"example": 3, "default": 4}}, 3),
        ({"schema": {"default": 4}}, 4),
        ({"schema": {"$ref": "#/five"}}, 5),
        ({"schema": {"type": "integer"}}, examples.NO_EXAMPLE),
        ({}, examples.NO_EXAMPLE),
    ],
)
def test_example_of(node: Node, example: Json) -> None:
    assert examples.example_of({"five": {"default": 5}}, node) == example
