"""Calls of a deployed app, and what is wrong with their answers."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator

import app_calls
import pytest
from app_calls import Got
from app_expected import Answer


class Handler(http.server.BaseHTTPRequestHandler):
    """Says back what it was sent."""

    def do_GET(self) -> None:
        self._say(404 if self.path == "/none" else 200, {"path": self.path, **self._head()})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._say(201, {"body": body.decode(), **self._head()})

    def _head(self) -> dict[str, str | None]:
        return {name: self.headers[name] for name in ("Authorization", "Content-Type", "X-Key")}

    def _say(self, status: int, value: object) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_request_with_headers_and_a_login(url: str) -> None:
    asked = Answer("GET", "/a?b=1", headers={"X-Key": "k"}, login="me:pw")
    got = json.loads(app_calls.call(url, asked).body)
    assert got["path"] == "/a?b=1"
    assert got["X-Key"] == "k"
    assert got["Authorization"] == "Basic bWU6cHc="


def test_a_body_is_sent_as_json(url: str) -> None:
    got = json.loads(app_calls.call(url, Answer("POST", "/", send={"a": 1})).body)
    assert (got["body"], got["Content-Type"]) == ('{"a": 1}', "application/json")


def test_a_form_is_sent_with_its_file(url: str) -> None:
    form = {"file": {"name": "a.txt", "content": "text"}, "note": "hi"}
    got = json.loads(app_calls.call(url, Answer("POST", "/", upload=form)).body)
    assert got["Content-Type"].startswith("multipart/form-data; boundary=")
    assert 'name="file"; filename="a.txt"' in got["body"]
    assert "\r\n\r\ntext\r\n" in got["body"]
    assert 'name="note"\r\n\r\nhi\r\n' in got["body"]


def test_an_error_status_is_an_answer(url: str) -> None:
    assert app_calls.problems(url, Answer("GET", "/none", status=404)) == []
    (problem,) = app_calls.problems(url, Answer("GET", "/none"))
    assert problem.startswith("GET /none: status 404 instead of 200")


def test_who_does_not_answer_is_told() -> None:
    (problem,) = app_calls.problems("http://127.0.0.1:1", Answer("GET", "/"))
    assert problem.startswith("GET /: ")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer("GET", "/", json=[1], has_json=True), []),
        (Answer("GET", "/", json=[2], has_json=True), ["[1] instead of [2]"]),
        (Answer("GET", "/", json=None, has_json=True), ["[1] instead of null"]),
        (Answer("GET", "/", type="text/csv"), ["application/json instead of text/csv"]),
        (Answer("GET", "/", text=["1", "7"]), ["no `7` in '[1]'"]),
    ],
)
def test_what_differs_is_told(answer: Answer, problem: list[str]) -> None:
    assert app_calls.compare(answer, Got(200, "application/json", b"[1]")) == problem


def test_a_text_is_compared_as_itself() -> None:
    asked = Answer("GET", "/", json="plain", has_json=True)
    assert app_calls.compare(asked, Got(200, "text/plain", b"plain")) == []
