from __future__ import annotations

import pytest
from classvm.contract import schemas, wording
from classvm.contract.document import Json, Node


def said(schema: Node, value: Json) -> str:
    (error,) = schemas.schema_errors({}, schema, value, 1)
    return wording.problem(error)


PRICE: Node = {"required": ["currency"], "properties": {"total": {"type": "number"}}}


@pytest.mark.parametrize(
    ("schema", "value", "sentence"),
    [
        ({"type": "array"}, {}, "the answer is an object, promised a list"),
        ({"type": "object"}, "hello", 'the answer is text "hello", promised an object'),
        ({"type": "integer"}, True, "the answer is true, promised a whole number"),
        ({"type": ["string", "null"]}, 7, "the answer is 7, promised text or null"),
        (PRICE, {}, "'currency' is a required property"),
        (
            PRICE,
            {"currencey": 1},
            "'currency' is a required property, but missing (`currencey`?)",
        ),
        (
            PRICE,
            {"currency": 1, "total": "7.50"},
            '`total` is text "7.50", promised a number',
        ),
        ({"items": PRICE}, [{}], "`0`: 'currency' is a required property"),
        (
            {"items": {"properties": {"a": {"type": "null"}}}},
            [{"a": []}],
            "`0/a` is a list, promised null",
        ),
        ({"enum": ["USD", 1]}, "EUR", 'the answer is text "EUR", promised one of "USD", 1'),
        ({"maximum": 1}, 2, "2 is greater than the maximum of 1"),
    ],
)
def test_a_sentence_for_what_is_wrong(schema: Node, value: Json, sentence: str) -> None:
    assert said(schema, value) == sentence


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, "x" * 100_000),
        ({"maxLength": 1}, "x" * 100_000),
        ({"enum": ["x" * length for length in range(1000)]}, 1),
        ({"required": ["x" * 100_000]}, {}),
    ],
)
def test_no_sentence_is_longer_than_a_reader_reads(schema: Node, value: Json) -> None:
    assert len(said(schema, value)) <= wording.EXCERPT_LENGTH + len("…")
