from __future__ import annotations

import pytest
from classvm.contract import requests
from classvm.contract.document import Json, Node
from classvm.contract.examples import NO_EXAMPLE
from classvm.contract.spec import Operation


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (-1, "/x/-1"),
        (0.5, "/x/0.5"),
        (True, "/x/true"),
        ("a/b c?", "/x/a%2Fb%20c%3F"),
        ("é", "/x/%C3%A9"),
        ([1, 2], "/x/1%2C2"),
    ],
)
def test_path_parameters_are_percent_encoded(value: Json, path: str) -> None:
    assert requests.fill_path("/x/{v}", {("path", "v"): value}) == path


@pytest.mark.parametrize(
    ("parameter", "value", "query"),
    [
        ({}, "a b&c", "?v=a%20b%26c"),
        ({}, [1, 2], "?v=1&v=2"),
        ({"explode": False}, [1, 2], "?v=1%2C2"),
        ({"style": "pipeDelimited", "explode": False}, [1, 2], "?v=1%7C2"),
        ({"style": "spaceDelimited"}, ["a", "b"], "?v=a%20b"),
        ({}, {"a": 1, "b": True}, "?a=1&b=true"),
        ({"style": "deepObject"}, {"a": 1}, "?v%5Ba%5D=1"),
        ({"content": {"application/json": {}}}, {"a": 1}, "?v=%7B%22a%22%3A%201%7D"),
    ],
)
def test_query_string(parameter: Node, value: Json, query: str) -> None:
    declared = [{"in": "query", "name": "v", **parameter}]
    operation = Operation("x", "GET", "/", declared, "", {}, body_required=False, responses={})
    assert requests.query_string(operation, {("query", "v"): value}) == query


def test_cookies_are_one_header() -> None:
    operation = Operation("x", "GET", "/", [], "", {}, body_required=False, responses={})
    values = {("cookie", "a"): 1, ("cookie", "b"): "x", ("header", "X-Id"): 2}
    call = requests.build_call(operation, "http://h", "", values, NO_EXAMPLE)
    assert call.headers == {"X-Id": "2", "Cookie": "a=1; b=x"}
