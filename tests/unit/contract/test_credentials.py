from __future__ import annotations

import base64
from typing import Any

import pytest
from classvm.contract import credentials
from classvm.contract.document import Node
from classvm.contract.spec import Operation

SCHEMES: Node = {
    "key": {"type": "apiKey", "in": "query", "name": "k", "x-example": "sesame"},
    "login": {"type": "http", "scheme": "basic", "example": "teacher:apple"},
    "token": {"type": "http", "scheme": "bearer", "x-example": "abc"},
    "secret": {"type": "apiKey", "in": "header", "name": "X-Secret"},
    "linked": {"$ref": "#/components/securitySchemes/key"},
}
DOCUMENT: Node = {"components": {"securitySchemes": SCHEMES}}


def given(security: Any) -> tuple[list[tuple[str, str, str]], str]:
    operation = Operation(
        "a", "GET", "/a", [], "", {}, body_required=False, responses={}, security=security
    )
    found, state = credentials.with_credentials(DOCUMENT, operation)
    return [(one["in"], one["name"], one["example"]) for one in found.parameters], state


BASIC = "Basic " + base64.b64encode(b"teacher:apple").decode()


@pytest.mark.parametrize(
    ("security", "parameters", "state"),
    [
        ((), [], credentials.NONE),
        ([], [], credentials.NONE),
        ([{}], [], credentials.NONE),
        ([{"secret": []}, {}], [], credentials.NONE),
        ("nonsense", [], credentials.NONE),
        ([{"secret": []}], [], credentials.MISSING),
        ([{"unknown": []}], [], credentials.MISSING),
        ([{"secret": [], "key": []}], [], credentials.MISSING),
        ([{"key": []}], [("query", "k", "sesame")], credentials.GIVEN),
        ([{"linked": []}], [("query", "k", "sesame")], credentials.GIVEN),
        ([{"login": []}], [("header", "Authorization", BASIC)], credentials.GIVEN),
        ([{"token": []}], [("header", "Authorization", "Bearer abc")], credentials.GIVEN),
        ([{"secret": []}, {"key": []}], [("query", "k", "sesame")], credentials.GIVEN),
    ],
)
def test_credentials_come_from_the_examples_of_the_spec(
    security: Any, parameters: list[tuple[str, str, str]], state: str
) -> None:
    assert given(security) == (parameters, state)
