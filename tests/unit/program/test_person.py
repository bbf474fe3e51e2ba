"""What a person types."""

from __future__ import annotations

from typing import Any

import pytest
from classvm.program import checked, person, schema
from classvm.program.protocol import PROTOCOL, REQUEST, RefusedError


@pytest.mark.parametrize(
    ("words", "verb", "request_"),
    [
        (["status"], "status", {}),
        (["rollback"], "rollback", {}),
        (["rollback", "3f2a91c"], "rollback", {"release": "3f2a91c"}),
        (["logs", "--lines", "5", "--all"], "logs", {"lines": 5, "all": True}),
        (["maintenance", "on"], "maintenance", {"on": True}),
        (["maintenance", "off"], "maintenance", {"on": False}),
        (["verify-image"], "verify-image", {}),
    ],
)
def test_words_are_a_request(words: list[str], verb: str, request_: dict[str, Any]) -> None:
    assert person.read(words) == (verb, {"protocol": PROTOCOL, **request_})
    checked.require(person.read(words)[1], schema.REQUESTS[verb])


def test_a_followed_log_is_no_request_of_one_answer() -> None:
    assert person.read(["logs", "--follow"])[1]["follow"] is True


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "required: verb"),
        (["fly"], "invalid choice"),
        (["maintenance"], "required"),
        (["maintenance", "maybe"], "invalid choice"),
        (["logs", "--lines", "x"], "invalid int"),
        (["status", "--socket", "/x"], "Unrecognized"),
        (["release"], "comes with its contract"),
    ],
)
def test_a_slip_is_refused_with_the_next_step(words: list[str], told: str) -> None:
    with pytest.raises(RefusedError, match=told) as refused:
        person.read(words)
    assert refused.value.code == REQUEST
    assert refused.value.fix


def test_every_verb_has_its_summary() -> None:
    assert set(person.SUMMARY) == set(schema.VERBS)
