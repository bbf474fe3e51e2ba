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
        (answer(404), EXAMPLE, "the `example` is answered with 404: give one that exists"),
        (answer(400), MADE_UP, "refuses values made up (400): give `example`"),
        (answer(500), GUESSED, "answers 500 to a value made up: give `example`"),
        (answer(401), SECRET, "needs credentials"),
        (answer(403), SECRET, "needs credentials"),
        (answer(400), SECRET, "needs credentials"),
        (answer(401), BARE, "needs credentials"),
        (answer(401), SESAME, "answers 401 to what its spec gives: nothing to check yet"),
        (answer(302), EXAMPLE, "answers with a redirect (302) to /there"),
    ],
)
def test_what_cannot_be_told(given: Answer, tried: Attempt, reason: str) -> None:
    assert verdict(given, tried) == Verdict(unknown=reason)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (answer(404, "{}"), "the `example` is answered with 404"),
        (answer(409, "{}"), "answers 409 to what its spec gives"),
        (answer(503, "{}"), "answers 503, as declared"),
        # The framework's own words.
        (answer(409, "[]", "application/problem+json"), "answers 409 to what its spec gives"),
    ],
)
def test_a_declared_refusal_is_no_failure(given: Answer, reason: str) -> None:
    declared = {"200": NUMBERS, "4XX": MISTAKE, "503": MISTAKE}
    found = verdict(given, EXAMPLE, declared)
    assert found.problems == ()
    assert found.unknown.startswith(reason)


@pytest.mark.parametrize("status", [404, 409, 503])
def test_a_declared_refusal_keeps_its_promise_too(status: int) -> None:
    declared = {"200": NUMBERS, "4XX": MISTAKE, "503": MISTAKE}
    found = verdict(answer(status, "[]"), MADE_UP, declared)
    assert found.problems == ("the answer is a list, promised an object",)


def test_a_door_that_stands_open_is_worth_advice() -> None:
    assert verdict(answer(200), SECRET) == Verdict(
        advice="answers 200 without the credentials that a.yml asks for"
    )
