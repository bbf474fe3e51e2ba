from __future__ import annotations

import http.client
import json

import pytest
from classvm.contract.client import Answer
from classvm.contract.document import Json
from classvm.contract.known_values import KnownValues
from classvm.contract.spec import Operation


def operation(path: str, method: str = "GET") -> Operation:
    return Operation("a", method, path, [], "", {}, body_required=False, responses={})


def answer(body: bytes, *, is_whole: bool = True) -> Answer:
    return Answer(200, http.client.HTTPMessage(), body, 0.0, is_whole)


@pytest.mark.parametrize(
    ("listed", "path", "values"),
    [
        ([101, 102], "/rooms/{number}", {"number": 101}),
        (["heron"], "/rooms/{name}", {"name": "heron"}),
        ([{"number": 7, "id": 1}], "/rooms/{number}", {"number": 7}),
        ([{"id": 1}], "/rooms/{roomId}", {"roomId": 1}),
        ([{"name": "a"}], "/rooms/{room_name}", {"room_name": "a"}),
        ({"total": 2, "rooms": [{"id": 3}]}, "/rooms/{r}/seats/{s}", {"r": 3}),
        ([{"seats": 80}], "/rooms/{number}", {}),
        ([[1]], "/rooms/{number}", {}),
        ([""], "/rooms/{number}", {}),
        ([None], "/rooms/{number}", {}),
        ([], "/rooms/{number}", {}),
        ({"a": 1}, "/rooms/{number}", {}),
        (5, "/rooms/{number}", {}),
        ([101], "/halls/{number}", {}),
        ([101], "/rooms", {}),
    ],
)
def test_what_a_collection_lists_is_known(listed: Json, path: str, values: Json) -> None:
    known = KnownValues()
    known.learn(operation("/rooms"), answer(json.dumps(listed).encode()))
    assert known.values(operation(path)) == {("path", name): values[name] for name in values}


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (operation("/rooms", "POST"), answer(b"[1]")),
        (operation("/rooms"), answer(b"[1]", is_whole=False)),
        (operation("/rooms"), answer(b"[1")),
        (operation("/rooms"), answer(b"\xff")),
        (operation("/rooms"), answer(b"[" * 100_000)),
    ],
)
def test_what_lists_nothing_teaches_nothing(asked: Operation, answered: Answer) -> None:
    known = KnownValues()
    known.learn(asked, answered)
    assert known.values(operation("/rooms/{number}")) == {}
