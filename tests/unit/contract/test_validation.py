"""What one answer shows; the many ways to break a contract are in test_checker."""

from __future__ import annotations

import http.client

import pytest
from classvm.contract import validation
from classvm.contract.client import Answer
from classvm.contract.document import Node
from classvm.contract.spec import Operation

DECLARED: Node = {"content": {"application/json": {"schema": {"type": "array"}}}}


def answer(body: str, status: int = 200) -> Answer:
    headers = http.client.HTTPMessage()
    headers["Content-Type"] = "application/json"
    return Answer(status, headers, body.encode(), 0.0)


def problems(body: str, status: int = 200, method: str = "GET") -> list[str]:
    operation = Operation(
        "a", method, "/a", [], "", {}, body_required=False, responses={"200": DECLARED}
    )
    return validation.success_problems({}, operation, answer(body, status))


def test_an_answer_as_declared_has_no_problem() -> None:
    assert problems("[]") == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("{}", "the answer is an object, promised a list"),
        ("[" * 100_000, "the body is not JSON: "),
        ("[NaN]", "the body is not JSON: NaN is not a JSON number"),
    ],
)
def test_a_body_that_is_wrong(body: str, problem: str) -> None:
    assert problems(body)[0].startswith(problem)


def test_the_answer_to_head_has_no_body() -> None:
    assert problems("", method="HEAD") == []


def test_an_undeclared_status_names_the_declared_ones() -> None:
    assert problems("[]", status=203) == [
        "status 203 is not declared for this operation (declared: 200)"
    ]
