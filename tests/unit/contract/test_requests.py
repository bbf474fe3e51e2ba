from __future__ import annotations

import pytest
from classvm.contract import requests
from classvm.contract.document import Json, Node
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
    ],
)
def test_query_string(parameter: Node, value: Json, query: str) -> None:
    declared = [{"in": "query", "name": "v", **parameter}]
    operation = Operation("x", "GET", "/", declared, "", {}, body_required=False, responses={})
    assert requests.query_string(operation, {("query", "v"): value}) == query
