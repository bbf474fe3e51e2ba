from __future__ import annotations

import re
import signal
import threading
import time

import pytest
from classvm.contract import bounded, patterns
from classvm.contract.document import InputError, Json, Node
from classvm.contract.schemas import schema_errors

FOR_EVER = "^(a+)+$"
TEXT = "a" * 40 + "."


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "SECONDS", 0.05)


def test_found() -> None:
    assert bounded.found("a+$", "baa")
    assert not bounded.found("^a+$", "baa")
    with pytest.raises(re.error):
        bounded.found("(", "")


def test_a_search_without_end_is_ended() -> None:
    started = time.process_time()
    with pytest.raises(bounded.TooLongError, match=re.escape(FOR_EVER)):
        bounded.found(FOR_EVER, TEXT)
    assert time.process_time() - started < 1
    # Nothing is left that would end what comes after it.
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGVTALRM) is signal.SIG_DFL


def test_in_another_thread_a_search_is_still_one() -> None:
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(bounded.found("a+$", "baa")))
    thread.start()
    thread.join()
    assert answers == [True]


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": FOR_EVER}, TEXT),
        ({"patternProperties": {FOR_EVER: {}}}, {TEXT: 1}),
        ({"patternProperties": {FOR_EVER: {}}, "additionalProperties": False}, {TEXT: 1}),
        ({"additionalProperties": False, "patternProperties": {FOR_EVER: {}}}, {TEXT: 1}),
        ({"items": {"pattern": FOR_EVER}}, ["a", TEXT]),
    ],
)
def test_no_schema_has_a_value_searched_without_end(
    schema: Node, value: Json, lenient: bool
) -> None:
    started = time.process_time()
    with pytest.raises(InputError, match=r"\(a\+\)\+\$ in the specification takes longer"):
        schema_errors({}, schema, value, 1, lenient=lenient)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("schema", "value", "errors"),
    [
        ({"pattern": FOR_EVER}, "aaa", 0),
        ({"pattern": FOR_EVER}, "b", 1),
        ({"pattern": FOR_EVER}, 7, 0),
        ({"patternProperties": {"^a$": {"type": "string"}}}, {"a": 1, "b": 1}, 1),
        ({"patternProperties": {"^a$": {}}, "additionalProperties": False}, {"a": 1}, 0),
        ({"patternProperties": {"^a$": {}}, "additionalProperties": False}, {"b": 1}, 1),
        ({"additionalProperties": {"type": "string"}}, {"b": 1}, 1),
        ({"additionalProperties": False}, [], 0),
    ],
)
def test_the_keywords_are_what_they_were(schema: Node, value: Json, errors: int) -> None:
    assert len(schema_errors({}, schema, value, 9)) == errors


def test_a_text_for_a_pattern_that_takes_for_ever_is_not_known() -> None:
    # Thirty-two times "a" and a dot are tried, among others.
    assert patterns.text_for(r"^(a+)+(?=b)\.$", 20) is None
