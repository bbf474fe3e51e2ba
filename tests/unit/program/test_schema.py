"""The schemas themselves, and the document that is written from them."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import jsonschema
import pytest
import tree
from classvm.program import schema
from classvm.release import go_live, status

DOCUMENT = tree.ROOT / "docs/program.schema.json"
ALL = [*schema.REQUESTS.values(), *schema.ANSWERS.values(), schema.FAILURE]


@pytest.mark.parametrize("one", ALL, ids=range(len(ALL)))
def test_each_is_a_schema(one: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(one)
    assert one["additionalProperties"] is False


def test_each_verb_has_a_request_and_an_answer() -> None:
    assert schema.REQUESTS.keys() == schema.ANSWERS.keys()


def test_the_answers_have_what_the_releases_tell() -> None:
    told = {one.name for one in dataclasses.fields(go_live.Outcome)}
    assert told == schema.LIVE.keys()
    assert {one.name for one in dataclasses.fields(status.Status)} == set(
        schema.STATUS["properties"]
    )
    states = {status.ABSENT, status.STOPPED, status.UNHEALTHY, status.DEGRADED, status.UP}
    assert set(schema.STATUS["properties"]["state"]["enum"]) == states


def test_the_document_is_current() -> None:
    """`python -m json.tool` of `schema.document()`, as tools/program_schema.py writes it."""
    assert json.loads(DOCUMENT.read_text()) == schema.document()
