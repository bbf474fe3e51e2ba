"""The fast path answers as connexion does, only sooner; what is not right is left to connexion."""

from __future__ import annotations

import datetime as dt
import decimal
import sys
import time
import types
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import connexion
import flask
import pytest
import server
from flask.json.provider import DefaultJSONProvider
from src import fast_path, spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

BASE = spec.base_path()
NUMBER = spec.load()["components"]["schemas"]["DecimalNumber"]


@contextmanager
def connexion_alone() -> Iterator[None]:
    """Have the service built without what makes it faster than connexion."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_path, "register", lambda *_: None)
        patch.setattr(server, "JsonProvider", DefaultJSONProvider)
        yield


@pytest.fixture(name="connexions", scope="module")
def _connexions() -> FlaskClient:
    """Return a client of a service that connexion alone answers."""
    with connexion_alone():
        return server.create_app().test_client()


def seen(response: TestResponse) -> tuple[str, list[tuple[str, str]], bytes]:
    """Return all that a client sees of a response."""
    return response.status, response.headers.to_wsgi_list(), response.get_data()


def paths(view: object) -> bool:
    """Tell whether a view of Flask is a fast path."""
    return isinstance(view, fast_path.FastPath)


# --- The lab's own operations -------------------------------------------------------------------


def test_each_operation_but_that_with_a_body_has_a_fast_path(app: flask.Flask) -> None:
    fast = {name.rpartition(".")[2] for name, view in app.view_functions.items() if paths(view)}
    assert fast == {
        operation.operation_id.replace(".", "_")
        for operation in spec.operations()
        if operation.method == "GET"
    }


TARGETS = [one.try_link for one in spec.operations() if one.method == "GET"]
# An uptime is another one with each answer.
TARGETS = [target for target in TARGETS if not target.endswith(("/health", "/docker"))]
TARGETS += [f"{target}?x=1" for target in TARGETS if "?" not in target]
MEASURED = "sepal_width=1&petal_length=1&petal_width=1"
TARGETS += [
    f"{BASE}/{operation}/{a}/{b}"
    for operation in ("sum", "mult")
    for a, b in (
        *(("0.1", "0.2"), ("-1", "+1"), ("9" * 15, "1." + "9" * 15), ("4", "2.5")),
        *(("9" * 16, "1"), ("x", "1"), ("1", "x"), ("1%0a", "1"), ("%D9%A3", "1"), ("1e3", "1")),
    )
]
TARGETS += [
    f"{BASE}/prediction{query}"
    for query in (
        *("", "?", "?&", f"?{MEASURED}", f"?{MEASURED}&x=1", f"?{MEASURED}&sepal_length[a]=1"),
        f"?{MEASURED}&sepal_length=1&sepal_length=2",
        *(
            f"?{MEASURED}&sepal_length={value}"
            for value in (
                "1",
                "1e1",
                "+1",
                "20.1",
                "0",
                "nan",
                "inf",
                "x",
                "",
                "null",
                "1_0",
                "%FF",
            )
        ),
    )
]
NOT_FOR_CONNEXION = [f"{BASE}/hello/", f"{BASE}/nope", f"{BASE}/sum/1", f"{BASE}/sum/1/"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
@pytest.mark.parametrize("target", [*TARGETS, *NOT_FOR_CONNEXION])
def test_both_paths_answer_alike(
    client: FlaskClient, connexions: FlaskClient, target: str, method: str
) -> None:
    for headers in ({}, {"Accept": "text/html"}, {"Content-Type": "application/json"}):
        ours = client.open(target, method=method, headers=headers)
        theirs = connexions.open(target, method=method, headers=headers)
        assert seen(ours) == seen(theirs)


# --- Operations of students ---------------------------------------------------------------------


PARAMETERS: dict[str, dict[str, Any]] = {
    "integer": {"schema": {"type": "integer", "minimum": 2}},
    "number": {"schema": {"type": "number", "maximum": 1e3}},
    "boolean": {"schema": {"type": "boolean"}},
    "pattern": {"schema": {"type": "string", "pattern": r"^\d+$", "maxLength": 3}},
    "format": {"schema": {"type": "string", "format": "ipv4"}},
    "enum": {"schema": {"type": "string", "enum": ["a", "b"], "nullable": True}},
    "required": {"schema": {"type": "integer"}, "required": True},
    "default": {"schema": {"type": "integer", "default": 7}},
    "list": {"schema": {"type": "array", "items": {"type": "integer"}}},
    "object": {"schema": {"type": "object"}, "style": "deepObject", "explode": True},
    "header": {"schema": {"type": "integer"}, "in": "header"},
    "cookie": {"schema": {"type": "string"}, "in": "cookie", "required": True},
}
SLOW = {"default", "list", "object", "header", "cookie"}
VALUES = ["1", "2", "1234", "-1", "2.5", "a", "true", "null", "", "1%0a", "127.0.0.1", "1,2", "1_0"]
QUERIES = ["", "p", "q=1", "p=2&q=1", "p=2&p=3", "p[a]=2", "&", *(f"p={value}" for value in VALUES)]
COUNT = {"required": True, "schema": {"type": "integer"}}
OK: dict[str, Any] = {"description": "fine"}
ECHO = {"operationId": "made_up.echo", "responses": {"200": OK}}


@pytest.fixture(autouse=True, name="made_up")
def _made_up(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """Return a module of handlers, as a student would write it."""
    module = types.ModuleType("made_up")
    vars(module)["echo"] = lambda p=None: {"p": p, "context": dict(connexion.context)}
    vars(module)["echo_all"] = lambda **given: given
    monkeypatch.setitem(sys.modules, "made_up", module)
    return module


@pytest.fixture(name="both")
def _both(build: Callable[..., FlaskClient]) -> Callable[..., tuple[FlaskClient, FlaskClient]]:
    """Return a function that builds the service with another spec, and then connexion alone."""

    def create(document: dict[str, Any]) -> tuple[FlaskClient, FlaskClient]:
        ours = build(document)
        with connexion_alone():
            return ours, build(document)

    return create


def has_fast_path(client: FlaskClient) -> bool:
    return any(map(paths, client.application.view_functions.values()))


@pytest.mark.parametrize("handler", ["echo", "echo_all"])
@pytest.mark.parametrize("kind", PARAMETERS)
def test_a_parameter_of_the_query_is_read_alike(
    both: Callable[..., tuple[FlaskClient, FlaskClient]], kind: str, handler: str
) -> None:
    parameter = {"name": "p", "in": "query", **PARAMETERS[kind]}
    operation = {**ECHO, "operationId": f"made_up.{handler}", "parameters": [parameter]}
    ours, theirs = both({"paths": {"/echo": {"get": operation}}})
    assert has_fast_path(ours) == (kind not in SLOW)
    assert not has_fast_path(theirs)
    for query in QUERIES:
        assert seen(ours.get(f"/echo?{query}")) == seen(theirs.get(f"/echo?{query}")), query


@pytest.mark.parametrize("kind", ["integer", "number", "boolean", "pattern", "format", "enum"])
def test_a_parameter_of_the_path_is_read_alike(
    both: Callable[..., tuple[FlaskClient, FlaskClient]], kind: str
) -> None:
    parameter = {**PARAMETERS[kind], "name": "p", "in": "path", "required": True}
    ours, theirs = both({"paths": {"/echo/{p}": {"get": {**ECHO, "parameters": [parameter]}}}})
    assert has_fast_path(ours)
    for value in VALUES:
        assert seen(ours.get(f"/echo/{value}")) == seen(theirs.get(f"/echo/{value}")), value


@pytest.mark.parametrize(
    "change",
    [
        {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}},
        {"security": [{"key": []}]},
        {"responses": {"200": {**OK, "headers": {"X-Count": COUNT}}}},
        {"responses": {"200": {**OK, "content": {"text/plain": {"schema": {"type": "string"}}}}}},
        {"parameters": [{"name": "other", "in": "query", "schema": {"type": "string"}}]},
        {
            "operationId": "made_up.echo_all",
            "parameters": [{"name": "p-q", "in": "query", "schema": {"type": "string"}}],
        },
    ],
    ids=["body", "key", "header", "no JSON", "unknown argument", "name with a hyphen"],
)
def test_what_is_not_simple_has_connexions_path_alone(
    build: Callable[..., FlaskClient], change: dict[str, Any]
) -> None:
    key = {"type": "apiKey", "in": "header", "name": "X-Key", "x-apikeyInfoFunc": "made_up.echo"}
    document = {"components": {"securitySchemes": {"key": key}}}
    assert has_fast_path(build({**document, "paths": {"/echo": {"get": ECHO}}}))
    assert not has_fast_path(build({**document, "paths": {"/echo": {"get": {**ECHO, **change}}}}))


# --- Whatever a handler returns -----------------------------------------------------------------


RESULTS: dict[str, Callable[[], object]] = {
    "object": lambda: {"b": 1, "a": [1.5, None, True, "\N{EURO SIGN}\n"]},
    "list": list,
    "text": lambda: "text",
    "number": lambda: 1,
    "truth": lambda: False,
    "not a number": lambda: float("nan"),
    "nothing": lambda: None,
    "no content": lambda: connexion.NoContent,
    "bytes": lambda: b"bytes",
    "decimal number": lambda: {"a": decimal.Decimal("1.5")},
    "times": lambda: [dt.date(2024, 1, 31), dt.datetime(2024, 1, 31, 12)],  # noqa: DTZ001 - as students make it
    "keys": lambda: {1: "one"},
    "mixed keys": lambda: {1: "one", "a": 1},
    "no JSON": lambda: {"a": object()},
    "status": lambda: ({"a": 1}, 201),
    "status without body": lambda: (None, 304),
    "headers": lambda: ({"a": 1}, 200, {"X-Count": "1"}),
    "response": lambda: flask.Response("<p>", mimetype="text/html"),
    "stream": lambda: flask.Response(iter(["a"])),
    "problem": lambda: connexion.problem(418, "Teapot", "short and stout"),
}


SCHEMAS: list[dict[str, Any] | None] = [
    None,
    {"type": "object"},
    {"type": "number"},
    # In Python, the key may be a number; in JSON, it is a text.
    {"properties": {"1": {"type": "integer"}}},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
@pytest.mark.parametrize("kind", RESULTS)
def test_what_a_handler_returns_is_answered_alike(
    both: Callable[..., tuple[FlaskClient, FlaskClient]],
    made_up: types.ModuleType,
    kind: str,
    schema: dict[str, Any] | None,
) -> None:
    vars(made_up)["result"] = RESULTS[kind]
    ok = {**OK, "content": {"application/json": {"schema": schema}}} if schema else OK
    operation = {"operationId": "made_up.result", "responses": {"200": ok}}
    ours, theirs = both({"paths": {"/result": {"get": operation}}})
    assert has_fast_path(ours)
    assert seen(ours.get("/result")) == seen(theirs.get("/result"))


# --- The fast path is taken, and is fast --------------------------------------------------------


@pytest.fixture(name="asked")
def _asked(app: flask.Flask, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Return the calls of connexion's view of a sum."""
    view = app.view_functions[f"{BASE}.src_sum_get"]
    assert isinstance(view, fast_path.FastPath)
    slow, calls = view.slow_path, []

    def noted(**path: str) -> flask.Response:
        calls.append(path)
        return slow(**path)

    monkeypatch.setattr(view, "slow_path", noted)
    return calls


@pytest.mark.parametrize(("target", "times"), [("1/4", 0), ("1/4?", 0), ("x/4", 1), ("1/4?x=1", 1)])
def test_only_what_is_not_right_is_left_to_connexion(
    client: FlaskClient, asked: list[dict[str, str]], target: str, times: int
) -> None:
    assert client.get(f"{BASE}/sum/{target}").status_code == (400 if times else 200)
    assert len(asked) == times


ROUNDS, REPEATS, TRIES = 9, 20, 5
# Of the time of connexion's view; less than a quarter was measured.
MOST = 0.5


def cost(app: flask.Flask, view: Callable[..., object]) -> float:
    """Return the processor time of a view in seconds: the least of some rounds."""
    taken = []
    for _ in range(ROUNDS):
        with app.test_request_context(f"{BASE}/sum/1/4"):
            started = time.process_time()
            for _ in range(REPEATS):
                view(a="1", b="4")
            taken.append(time.process_time() - started)
    return min(taken)


def share(app: flask.Flask, view: Callable[..., object], slow: Callable[..., object]) -> float:
    """Return the cost of a view as a share of that of a slow one: the least of some tries.

    Other programs of a busy machine make either of both more expensive for a moment.
    """
    found: list[float] = []
    while len(found) < TRIES and min(found, default=MOST) >= MOST:
        found.append(cost(app, view) / cost(app, slow))
    return min(found)


@pytest.mark.alone
def test_the_fast_path_takes_less_than_half_of_connexions_time(app: flask.Flask) -> None:
    view = app.view_functions[f"{BASE}.src_sum_get"]
    assert isinstance(view, fast_path.FastPath)
    assert share(app, view, view.slow_path) < MOST
    assert share(app, view.slow_path, view.slow_path) > MOST
