"""What an answer shows, case by case; test_gate has the way there."""

from __future__ import annotations

import http.client

import pytest
from classvm.contract.attempts import Attempt
from classvm.contract.client import Answer
from classvm.contract.credentials import GIVEN, MISSING, NONE
from classvm.contract.document import Node
from classvm.contract.requests import Call
from classvm.contract.spec import Operation
from classvm.contract.verdicts import Judge, Verdict

NUMBERS: Node = {"content": {"application/json": {"schema": {"type": "array"}}}}
MISTAKE: Node = {"content": {"application/json": {"schema": {"type": "object"}}}}


def answer(status: int, body: str = "[]", media_type: str = "application/json") -> Answer:
    headers = http.client.HTTPMessage()
    headers["Content-Type"] = media_type
    headers["Location"] = "/there"
    return Answer(status, headers, body.encode(), 0.0)


def attempt(
    *, made_up: bool = False, guessed: bool = False, has_input: bool = True, credentials: str = NONE
) -> Attempt:
    call = Call("a", "", "GET", "http://h/a")
    return Attempt(call, made_up or guessed, guessed, has_input, credentials, {}, None)


def verdict(
    given: Answer, tried: Attempt, responses: dict[str, Node] | None = None, method: str = "GET"
) -> Verdict:
    operation = Operation(
        "a",
        method,
        "/a",
        [],
        "",
        {},
        body_required=False,
        responses={"200": NUMBERS} if responses is None else responses,
    )
    return Judge({}, "a.yml", operation).verdict(tried, given)


EXAMPLE = attempt()
MADE_UP = attempt(made_up=True)
GUESSED = attempt(guessed=True)
BARE = attempt(has_input=False)
SECRET = attempt(credentials=MISSING)
SESAME = attempt(credentials=GIVEN)


@pytest.mark.parametrize(
    ("given", "responses"),
    [
        (answer(200), None),
        (answer(200), {}),
        (answer(203, "text"), {"400": {}, "404": MISTAKE}),
        (answer(200, "hello", "text/html"), {"200": {}}),
        (answer(200, "{}"), {"default": {}}),
        (answer(200, "x", "text/csv"), {"2XX": {"content": {"text/*": {}}}}),
        (answer(200, "", "text/csv"), {"200": {"content": {"text/csv": {}}}}),
        (answer(204, ""), {"204": NUMBERS}),
        (answer(302, ""), {"302": {}}),
    ],
)
def test_a_promise_that_is_kept(given: Answer, responses: dict[str, Node] | None) -> None:
    assert verdict(given, MADE_UP, responses) == Verdict()


@pytest.mark.parametrize(
    ("given", "tried", "problems"),
    [
        (answer(200, "{}"), EXAMPLE, ["the answer is an object, promised a list"]),
        (answer(200, "{}"), GUESSED, ["the answer is an object, promised a list"]),
        (answer(200, ""), EXAMPLE, ["the body is empty"]),
        (answer(200, "[NaN]"), EXAMPLE, ["the body is not JSON: NaN is not a JSON number"]),
        (
            answer(200, "x", "text/html"),
            EXAMPLE,
            ["content type text/html is not declared (declared: application/json)"],
        ),
        (answer(203), EXAMPLE, ["status 203 is not in a.yml (promised: 200)"]),
        (
            answer(203, "{}"),
            EXAMPLE,
            [
                "the answer is an object, promised a list",
                "status 203 is not in a.yml (promised: 200)",
            ],
        ),
        (answer(500), EXAMPLE, ["status 500 is not in a.yml (promised: 200)"]),
        (answer(500), BARE, ["status 500 is not in a.yml (promised: 200)"]),
        (answer(500), SECRET, ["status 500 is not in a.yml (promised: 200)"]),
        (answer(400), EXAMPLE, ["status 400 is not in a.yml (promised: 200)"]),
        (answer(404), BARE, ["status 404 is not in a.yml (promised: 200)"]),
    ],
)
def test_a_promise_that_is_broken(given: Answer, tried: Attempt, problems: list[str]) -> None:
    assert list(verdict(given, tried).problems) == problems


def test_a_server_error_for_made_up_values_says_so() -> None:
    (problem,) = verdict(answer(500), MADE_UP).problems
    assert problem.endswith("its values were made up: give an `example` that works")


def test_default_promises_no_server_error() -> None:
    assert verdict(answer(500, "{}"), EXAMPLE, {"default": MISTAKE}).problems


@pytest.mark.parametrize(
    ("given", "tried", "reason"),
    [
        (answer(404), MADE_UP, "needs an id that exists: give `example`"),
        (answer(404), EXAMPLE, "its `example` is answered with 404: give one that works"),
        (answer(400), MADE_UP, "refuses values made up (400): give `example`"),
        (answer(500), GUESSED, "answers 500 to a value made up: give `example`"),
        (answer(401), SECRET, "needs credentials"),
        (answer(403), SECRET, "needs credentials"),
        (answer(400), SECRET, "needs credentials"),
        (answer(401), BARE, "needs credentials"),
        (answer(401), SESAME, "its `example` is answered with 401: give one that works"),
        (answer(302), EXAMPLE, "answers with a redirect (302) to /there"),
    ],
)
def test_what_cannot_be_told(given: Answer, tried: Attempt, reason: str) -> None:
    assert verdict(given, tried) == Verdict(unknown=reason)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (answer(404, "{}"), "its `example` is answered with 404"),
        (answer(409, "{}"), "its `example` is answered with 409"),
        (answer(503, "{}"), "answers 503, as declared"),
        # The framework's own words.
        (answer(409, "[]", "application/problem+json"), "its `example` is answered with 409"),
    ],
)
def test_a_declared_refusal_is_no_failure(given: Answer, reason: str) -> None:
    declared = {"200": NUMBERS, "4XX": MISTAKE, "503": MISTAKE}
    found = verdict(given, EXAMPLE, declared)
    assert found.problems == ()
    assert found.unknown.startswith(reason)


def test_default_promises_that_an_example_may_be_refused() -> None:
    found = verdict(answer(400), EXAMPLE, {"200": NUMBERS, "default": MISTAKE})
    assert found == Verdict(unknown="its `example` is answered with 400: give one that works")


def test_default_promises_nothing_where_nothing_is_sent() -> None:
    """Else a service with the wrong base path would pass."""
    assert verdict(answer(404), BARE, {"200": NUMBERS, "default": MISTAKE}).problems
    declared = verdict(answer(404), BARE, {"200": NUMBERS, "404": {}})
    assert declared == Verdict(unknown="answers 404, as declared: nothing to check yet")


@pytest.mark.parametrize("status", [404, 409, 503])
def test_a_declared_refusal_keeps_its_promise_too(status: int) -> None:
    declared = {"200": NUMBERS, "4XX": MISTAKE, "503": MISTAKE}
    found = verdict(answer(status, "[]"), MADE_UP, declared)
    assert found.problems == ("the answer is a list, promised an object",)


def test_a_door_that_stands_open_is_worth_advice() -> None:
    assert verdict(answer(200), SECRET) == Verdict(
        advice="answers 200 without the credentials that a.yml asks for"
    )


@pytest.mark.parametrize(
    ("method", "status", "is_advice"),
    [
        ("POST", 201, True),
        ("PUT", 202, True),
        ("DELETE", 204, True),
        ("POST", 203, False),
        ("GET", 201, False),
    ],
)
def test_which_word_for_a_change_that_was_made_is_advice(
    method: str, status: int, *, is_advice: bool
) -> None:
    found = verdict(answer(status), EXAMPLE, method=method)
    said = f"status {status} is not in a.yml (promised: 200)"
    assert found == (Verdict(advice=said) if is_advice else Verdict((said,)))


def test_the_answer_to_a_change_is_promised_all_the_same() -> None:
    found = verdict(answer(201, "{}"), EXAMPLE, method="POST")
    assert found.problems == ("the answer is an object, promised a list",)
