from __future__ import annotations

import pytest
from classvm.contract import probes
from classvm.contract.document import Node


@pytest.mark.parametrize(
    ("schema", "refuses"),
    [
        ({"type": "integer"}, True),
        ({"type": ["number", "null"]}, True),
        ({"type": "string", "enum": ["a"]}, True),
        ({"type": "array", "items": {"type": "number"}}, True),
        ({"type": "string", "pattern": "^[0-9]+$"}, True),
        ({"type": "string", "format": "date"}, True),
        ({"$ref": "#/number"}, True),
        ({"anyOf": [{"$ref": "#/number"}, {"type": "string"}]}, False),
        ({"type": "string"}, False),
        ({"type": "array", "items": {"type": "string"}}, False),
        ({}, False),
    ],
)
def test_refuses_text(schema: Node, *, refuses: bool) -> None:
    assert probes.refuses_text({"number": {"type": "number"}}, schema) is refuses
