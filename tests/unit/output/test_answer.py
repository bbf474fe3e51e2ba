from __future__ import annotations

import json
from typing import Any

import pytest
from classvm.output import answer


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({}, "text"), ({"CLASSVM_FORMAT": ""}, "text"), ({"CLASSVM_FORMAT": "json"}, "json")],
)
def test_the_format_that_is_wanted(variables: dict[str, str], expected: str) -> None:
    assert answer.wanted(variables) == expected


def test_the_document_has_a_member_for_each_host() -> None:
    said: dict[str, dict[str, Any]] = {
        "vm-148-1": {"text": "classvm: …", "facts": {"state": "up", "port": 11000}},
        "vm-148-2": {"state": "release r1 is up", "detail": "gap 0.1 s"},
    }
    told = json.loads(answer.document(said, {"vm-148-3": "Refused\nwhy"}, {"vm-148-2": 3}))
    assert told == {
        "vm-148-1": {"state": "up", "port": 11000, "changed": 0},
        "vm-148-2": {"state": "release r1 is up", "changed": 3},
        "vm-148-3": {"failed": "Refused", "reason": "Refused\nwhy"},
    }
