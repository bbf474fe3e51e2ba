"""The contract check against a tiny real service that is broken one way per case."""

from __future__ import annotations

import contextlib
import http.server
import json
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest
import yaml
from classvm.contract import checker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SPEC = pathlib.Path(__file__).with_name("test_checker_spec.yml")
TIMEOUT = 0.3

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


def a_scaled(**changes: checker.Json) -> Reply:
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


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def closed_url() -> str:
    """Return a URL where nothing listens: its port was free a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def write_spec(folder: pathlib.Path, change: Callable[[checker.Node], None]) -> str:
    """Write a copy of the specification that ``change`` has worked on; return its path."""
    document = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
    change(document)
    copy = folder / "master.yml"
    copy.write_text(yaml.safe_dump(document), encoding="utf-8")
    return str(copy)


def problems_of(report: checker.Report) -> list[str]:
    return [problem for outcome in report.failures for problem in outcome.problems]


def test_good_service_keeps_the_contract(service: Service) -> None:
    report = checker.check(str(SPEC), service.url, TIMEOUT)

    assert report.ok, report.lines()
    assert report.operation_count == 3
    assert sorted(service.requests) == sorted(
        [
            GET_SUM,
            GET_SUM_ROUNDED,
            POST_SCALE,
            GET_PAGE,
            GET_WRONG_SUM,
            "GET /e222/sum/2/not-a-valid-value?digits=1",
            "GET /e222/sum/2/3?digits=not-a-valid-value",
            POST_SCALE,
            POST_SCALE,
            "PATCH /e222/sum/2/3",
            GET_UNKNOWN,
        ],
    )


@pytest.mark.parametrize(
    ("request_line", "reply", "problem"),
    [
        pytest.param(GET_SUM, a_sum('{"result": "5"}'), "'5' is not of type", id="wrong type"),
        pytest.param(GET_SUM, a_sum('{"result": 5.5}'), "body /result: 5.5 is", id="fraction"),
        pytest.param(GET_SUM, a_sum("{}"), "'result' is a required", id="missing member"),
        pytest.param(GET_SUM, a_sum('{"result": 5, "x": 1}'), "'x' was unexp", id="extra member"),
        pytest.param(GET_SUM, a_sum('{"result": 4294967296}'), "not a 'int32'", id="int32"),
        pytest.param(GET_SUM, a_sum('{"result": 5, "id": "7"}'), "not a 'uuid'", id="uuid"),
        pytest.param(GET_SUM, a_sum("five"), "not JSON", id="not JSON"),
        pytest.param(GET_SUM, a_sum('{"result": NaN}'), "NaN is not a JSON", id="NaN"),
        pytest.param(GET_SUM, a_sum(""), "the body is empty", id="empty JSON"),
        pytest.param(GET_SUM, a_sum("5", "text/plain"), "text/plain is not", id="wrong media type"),
        pytest.param(GET_SUM, a_sum("{}", status=202), "202 is not declared", id="undeclared 2xx"),
        pytest.param(GET_SUM, a_problem(404), "404 is not a success", id="declared 4xx"),
        pytest.param(GET_SUM, a_problem(500), "500 is not declared", id="server error"),
        pytest.param(
            GET_SUM, Reply(302, "text/html", "-", {"Location": GET_PAGE}), "302", id="302"
        ),
        pytest.param(
            GET_SUM,
            Reply(200, "application/json", '{"result": 5}'),
            "header X-Unit is missing",
            id="missing header",
        ),
        pytest.param(
            GET_SUM,
            a_sum("{}")._replace(delay=3 * TIMEOUT),
            f"within {TIMEOUT:g} s",
            id="slow answer",
        ),
        pytest.param(GET_SUM_ROUNDED, a_sum("[]"), "[] is not of type", id="optional parameter"),
        pytest.param(POST_SCALE, a_scaled(value=0), "0 is less than or equal", id="exclusive"),
        pytest.param(POST_SCALE, a_scaled(value=None), "None is not of type", id="not nullable"),
        pytest.param(POST_SCALE, a_scaled(note=7), "7 is not of type", id="nullable, wrong type"),
        pytest.param(
            POST_SCALE, a_scaled(made="2023-02-29T12:00:00Z"), "date-time", id="no such day"
        ),
        pytest.param(POST_SCALE, a_scaled(made="yesterday"), "date-time", id="not a date"),
        pytest.param(GET_PAGE, a_problem(404), "404 is not declared", id="missing operation"),
        pytest.param(GET_PAGE, Reply(200, "text/html", ""), "the body is empty", id="empty page"),
        pytest.param(GET_WRONG_SUM, a_problem(500), "server error 500", id="500 on bad input"),
        pytest.param(
            GET_WRONG_SUM,
            a_sum('{"result": 0}'),
            "answered with status 200",
            id="accepts bad input",
        ),
        pytest.param(
            GET_WRONG_SUM,
            a_problem(400, "application/json"),
            "must be sent as application/problem+json",
            id="error of wrong type",
        ),
        pytest.param(
            GET_WRONG_SUM,
            Reply(400, "application/problem+json", '{"title": "wrong"}'),
            "'status' is a required",
            id="incomplete problem",
        ),
        pytest.param(POST_SCALE, a_scaled(), "bad input was answered", id="accepts bad body"),
        pytest.param("PATCH /e222/sum/2/3", a_sum("{}"), "200 instead of 405", id="any method"),
        pytest.param(GET_UNKNOWN, a_sum("{}"), "200 instead of 404", id="any path"),
    ],
)
def test_broken_service_is_found_out(
    service: Service, request_line: str, reply: Reply, problem: str
) -> None:
    service.replies[request_line] = reply

    report = checker.check(str(SPEC), service.url, TIMEOUT)

    assert not report.ok
    assert any(problem in found for found in problems_of(report)), report.lines()
    broken = {f"{item.method} {item.url[len(service.url) :]}" for item in report.failures}
    assert broken == {request_line}


def test_failure_shows_request_status_problem_and_start_of_answer(service: Service) -> None:
    service.replies[GET_SUM] = a_sum("x" * 1000)

    text = "\n".join(checker.check(str(SPEC), service.url, TIMEOUT).lines())

    assert f"request: GET {service.url}/e222/sum/2/3 -> 200 in" in text
    assert "problem: the body is not JSON" in text
    assert "answer:  " + "x" * 300 + "\n" in text
    assert text.endswith("contract BROKEN: 3 operations in 4 calls, 7 probes, 1 failures")


def test_connection_refused_is_told_for_every_call_and_probes_are_left_out(closed_url: str) -> None:
    report = checker.check(str(SPEC), closed_url, TIMEOUT)

    assert [outcome.status for outcome in report.operations] == [None] * 4
    assert all("connection refused" in problem for problem in problems_of(report))
    assert report.probes == ()


def test_closed_connection_is_told_without_traceback(service: Service) -> None:
    service.connections_to_close = 1

    report = checker.check(str(SPEC), service.url, TIMEOUT)

    assert [outcome.case for outcome in report.failures] == ["examples"]
    assert problems_of(report)[0].endswith("closed the connection without an answer")


def test_wait_ends_when_the_service_answers(service: Service) -> None:
    service.connections_to_close = 2

    report = checker.check(str(SPEC), service.url, TIMEOUT, wait=5)

    assert report.ok, report.lines()
    assert service.requests[:2] == [GET_UNKNOWN, GET_SUM]


def test_wait_that_runs_out_is_one_failure(closed_url: str) -> None:
    report = checker.check(str(SPEC), closed_url, TIMEOUT, wait=0.1)

    assert len(report.failures) == 1
    assert "did not answer for 0.1 s" in problems_of(report)[0]


def test_probes_can_be_left_out(service: Service) -> None:
    assert checker.check(str(SPEC), service.url, TIMEOUT, probe=False).probes == ()


def test_schema_may_be_referred_to_anywhere_in_the_document(
    service: Service, tmp_path: pathlib.Path
) -> None:
    def refer_to_another_operation(document: checker.Node) -> None:
        content = document["paths"]["/scale"]["post"]["responses"]["201"]["content"]
        document["components"]["schemas"]["Scaled"] = content["application/json"]["schema"]
        content["application/json"]["schema"] = {
            "$ref": "#/paths/~1sum~1%7Ba%7D~1%7Bb%7D/x-schemas/Scaled"
        }
        document["paths"]["/sum/{a}/{b}"]["x-schemas"] = {
            "Scaled": {"$ref": "#/components/schemas/Scaled"}
        }

    service.replies[POST_SCALE] = a_scaled(note=7)
    spec = write_spec(tmp_path, refer_to_another_operation)

    report = checker.check(spec, service.url, TIMEOUT, probe=False)

    assert problems_of(report) == ["body /note: 7 is not of type 'string', 'null'"]


def remove_example(document: checker.Node) -> None:
    del document["paths"]["/sum/{a}/{b}"]["parameters"][0]["example"]


def remove_body_example(document: checker.Node) -> None:
    del document["paths"]["/scale"]["post"]["requestBody"]["content"]["application/json"]["example"]


def remove_parameter(document: checker.Node) -> None:
    document["paths"]["/sum/{a}/{b}"]["parameters"].pop()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (remove_example, "required path parameter a has no example"),
        (remove_body_example, "the required request body has no example"),
        (remove_parameter, "path parameter b is not declared"),
    ],
)
def test_operation_that_cannot_be_called_is_a_problem(
    service: Service, tmp_path: pathlib.Path, change: Callable[[checker.Node], None], problem: str
) -> None:
    report = checker.check(write_spec(tmp_path, change), service.url, TIMEOUT)

    assert len(report.failures) == 1
    assert problem in problems_of(report)[0]
    assert report.operation_count == 3


def break_reference(document: checker.Node) -> None:
    document["components"]["schemas"]["Sum"] = {"$ref": "#/components/schemas/Gone"}


def circle_reference(document: checker.Node) -> None:
    document["components"]["schemas"]["Sum"] = {"$ref": "#/components/schemas/Sum"}


def foreign_reference(document: checker.Node) -> None:
    document["components"]["schemas"]["Sum"] = {"$ref": "other.yml#/Sum"}


def break_schema(document: checker.Node) -> None:
    document["components"]["schemas"]["Sum"]["type"] = "objekt"


def change_version(document: checker.Node) -> None:
    document["openapi"] = "3.1.0"


def remove_paths(document: checker.Node) -> None:
    document["paths"] = {}


def unnamed_parameter(document: checker.Node) -> None:
    del document["components"]["parameters"]["B"]["name"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (break_reference, "points to nothing"),
        (circle_reference, "leads back to itself"),
        (foreign_reference, "not local"),
        (break_schema, "invalid schema /definitions/Sum/type"),
        (change_version, "not an OpenAPI 3.0 document"),
        (remove_paths, "no operation"),
        (unnamed_parameter, "lacks its key in or name"),
    ],
)
def test_unusable_document_is_refused(
    closed_url: str, tmp_path: pathlib.Path, change: Callable[[checker.Node], None], message: str
) -> None:
    with pytest.raises(checker.InputError, match=message):
        checker.check(write_spec(tmp_path, change), closed_url)


@pytest.mark.parametrize(
    "url", ["localhost:11000", "ftp://host", "http://", "http://host:x", "http://host/?a=1"]
)
def test_unusable_url_is_refused(url: str) -> None:
    with pytest.raises(checker.InputError, match="not a usable URL"):
        checker.check(str(SPEC), url)


@pytest.mark.parametrize(
    ("node", "example"),
    [
        ({"example": 0}, 0),
        ({"example": None}, None),
        ({"examples": {"first": {"value": 1}, "second": {"value": 2}}}, 1),
        ({"schema": {"example": 3, "default": 4}}, 3),
        ({"schema": {"default": 4}}, 4),
        ({"schema": {"$ref": "#/five"}}, 5),
        ({"schema": {"type": "integer"}}, checker.NO_EXAMPLE),
        ({}, checker.NO_EXAMPLE),
    ],
)
def test_example_of(node: checker.Node, example: checker.Json) -> None:
    assert checker.example_of({"five": {"default": 5}}, node) == example


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
def test_path_parameters_are_percent_encoded(value: checker.Json, path: str) -> None:
    assert checker.fill_path("/x/{v}", {("path", "v"): value}) == path


@pytest.mark.parametrize(
    ("parameter", "value", "query"),
    [
        ({}, "a b&c", "?v=a%20b%26c"),
        ({}, [1, 2], "?v=1&v=2"),
        ({"explode": False}, [1, 2], "?v=1%2C2"),
    ],
)
def test_query_string(parameter: checker.Node, value: checker.Json, query: str) -> None:
    declared = [{"in": "query", "name": "v", **parameter}]
    operation = checker.Operation(
        "x", "GET", "/", declared, "", {}, body_required=False, responses={}
    )
    assert checker.query_string(operation, {("query", "v"): value}) == query


@pytest.mark.parametrize(
    ("schema", "refuses"),
    [
        ({"type": "integer"}, True),
        ({"type": ["number", "null"]}, True),
        ({"type": "string", "enum": ["a"]}, True),
        ({"type": "array", "items": {"type": "number"}}, True),
        ({"type": "string", "pattern": "^[0-9]+$"}, True),
        ({"type": "string", "format": "date"}, True),
        ({"$ref": "#/number"}, True),
        ({"anyOf": [{"$ref": "#/number"}, {"type": "string"}]}, False),
        ({"type": "string"}, False),
        ({"type": "array", "items": {"type": "string"}}, False),
        ({}, False),
    ],
)
def test_refuses_text(schema: checker.Node, *, refuses: bool) -> None:
    assert checker.refuses_text({"number": {"type": "number"}}, schema) is refuses


def run_from_stdin(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program as it is run in a container: piped into Python."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-", *arguments],
        input=pathlib.Path(checker.__file__).read_text(encoding="utf-8"),
        capture_output=True,
        text=True,
        check=False,
    )


def test_command_line_reports_success_as_json(service: Service) -> None:
    result = run_from_stdin("--spec", str(SPEC), "--url", service.url, "--json")

    report = json.loads(result.stdout)
    assert (result.returncode, result.stderr) == (0, "")
    assert (report["ok"], report["operation_count"]) == (True, 3)
    assert report["operations"][0]["operation_id"] == "sum"


def test_command_line_reports_a_broken_contract(closed_url: str) -> None:
    result = run_from_stdin("--spec", str(SPEC), "--url", closed_url)

    assert (result.returncode, result.stderr) == (1, "")
    assert "FAIL  sum (examples)" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--url", "http://h"], "--spec"),
        (["--url", "http://h", "--spec", "no/such.yml"], "cannot read the specification"),
        (["--url", "http://h", "--spec", str(SPEC), "--timeout", "0"], "more than 0 s"),
    ],
)
def test_command_line_explains_unusable_arguments(arguments: list[str], message: str) -> None:
    result = run_from_stdin(*arguments)

    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr
