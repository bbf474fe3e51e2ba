"""A tiny real service that keeps its contract, except where a test breaks it."""

from __future__ import annotations

import contextlib
import http.server
import json
import pathlib
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import yaml
from classvm.contract.document import Json, Node
from free_ports import free_port

SPEC = pathlib.Path(__file__).with_name("tiny_service.yml")
TIMEOUT = 1.0

GET_SUM = "GET /e222/sum/2/3"
GET_SUM_ROUNDED = "GET /e222/sum/2/3?digits=1"
GET_WRONG_SUM = "GET /e222/sum/not-a-valid-value/3?digits=1"
POST_SCALE = "POST /e222/scale"
GET_PAGE = "GET /e222/page"
GET_UNKNOWN = "GET /e222/no-such-path"


class Reply(NamedTuple):
    """What the tiny service answers, after ``delay`` seconds."""

    status: int
    media_type: str
    body: str
    headers: Mapping[str, str] = {}
    delay: float = 0.0


def a_sum(body: str, media_type: str = "application/json", status: int = 200) -> Reply:
    return Reply(status, media_type, body, {"X-Unit": "1"})


def a_problem(status: int, media_type: str = "application/problem+json") -> Reply:
    return Reply(status, media_type, json.dumps({"title": "wrong", "status": status}))


def a_scaled(**changes: Json) -> Reply:
    value = {"value": 1.5, "note": None, "made": "2024-02-29T12:00:00.5Z", **changes}
    return Reply(201, "application/json", json.dumps(value))


def good_reply(method: str, path: str, body: str) -> Reply:
    """Answer the way the contract asks for."""
    if method == "GET" and re.fullmatch(r"/e222/sum/\d+/\d+(\?digits=\d+)?", path):
        return a_sum('{"result": 5}')
    if method == "GET" and path.startswith("/e222/sum/"):
        return a_problem(400)
    if method == "POST" and path == "/e222/scale":
        value = json.loads(body)
        is_scale = isinstance(value, dict) and isinstance(value["factor"], float)
        return a_scaled() if is_scale else a_problem(400)
    if method == "GET" and path == "/e222/page":
        return Reply(200, "text/html; charset=utf-8", "<h1>Hello</h1>")
    return a_problem(404 if method == "GET" else 405)


class Service(http.server.ThreadingHTTPServer):
    """The good service, except for the request lines in ``replies``.

    It closes the first ``connections_to_close`` connections without an answer.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.connections_to_close = 0
        self.replies: dict[str, Reply] = {}
        self.requests: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def verify_request(self, *_: object) -> bool:
        self.connections_to_close -= 1
        return self.connections_to_close < 0


class Handler(http.server.BaseHTTPRequestHandler):
    """Looks up the reply of its server and sends it."""

    server: Service

    def reply(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        request = f"{self.command} {self.path}"
        self.server.requests.append(request)
        reply = self.server.replies.get(request) or good_reply(self.command, self.path, body)
        time.sleep(reply.delay)
        # The client of a slow reply has gone.
        with contextlib.suppress(ConnectionError):
            self.send(reply)

    def send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in {"Content-Type": reply.media_type, **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body.encode())

    def log_message(self, *_: object) -> None:
        """Keep the output of the tests clean."""

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = reply  # noqa: N815 - names of http.server


@contextlib.contextmanager
def running() -> Iterator[Service]:
    """Run the service in a thread."""
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def closed_url() -> str:
    """Return a URL where nothing listens."""
    return f"http://127.0.0.1:{free_port()}"


def write_spec(folder: pathlib.Path, change: Callable[[Node], None]) -> str:
    """Write a copy of the spec that ``change`` has worked on; return its path."""
    document = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
    change(document)
    copy = folder / "master.yml"
    copy.write_text(yaml.safe_dump(document), encoding="utf-8")
    return str(copy)
