"""Check that a running REST service keeps the contract its OpenAPI document states.

Every operation of the document is called with the examples the document gives,
and each answer is held against the responses the document declares. Then a few
probes send what the document forbids and expect to be refused.

The file is complete in itself: it runs inside Ansible, from the command line,
and piped into the Python of a container that holds nothing else of this project::

    python3 contract.py --spec master.yml --url http://localhost:11000
    docker exec -i CONTAINER python3 - --spec master.yml --url URL --json < contract.py

Needs Python 3.7 or newer, PyYAML and jsonschema 4.17 or newer.

Standards: OpenAPI 3.0.3 (documents), JSON Schema draft 4 (bodies), RFC 3986 and
RFC 6570 (URLs), RFC 8259 (JSON), RFC 9110 (HTTP), RFC 9457 (problem details).
Left out: authentication, cookie parameters, references to other documents.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import functools
import http.client
import json
import pathlib
import re
import socket
import sys
import time
import traceback
from typing import Any, Callable, Dict, Iterable, Iterator, Mapping, Sequence, Tuple
from urllib.parse import quote, unquote, urlencode, urlsplit

# Ansible and the command line each have their own way to report a missing
# library, so a failed import is kept here instead of ending the program.
IMPORT_ERROR = ""
try:
    import jsonschema
    import yaml

    # Where PyYAML has its C library, it reads a document in a fifteenth of the time.
    SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
except ImportError:
    IMPORT_ERROR = traceback.format_exc()

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
DEFAULT_TIMEOUT = 5.0
PAUSE_BETWEEN_TRIES = 0.2
EXCERPT_LENGTH = 300
MAX_SCHEMA_PROBLEMS = 5
# Neither a number, nor a truth value, nor a date, nor likely in any enumeration.
WRONG_VALUE = "not-a-valid-value"
PROBLEM_JSON = "application/problem+json"
# Stands for "there is none", because None itself is a possible example (JSON null).
NO_EXAMPLE = object()
EXIT_OK, EXIT_BROKEN, EXIT_UNUSABLE = 0, 1, 2

# Any value JSON can hold, and an object of the document, as Python holds them.
Json = Any
Node = Dict[str, Any]
Values = Mapping[Tuple[str, str], Any]


class InputError(ValueError):
    """The document, the URL or a setting cannot be used; the text says what to do."""


class NoAnswerError(Exception):
    """A request got no HTTP answer; the text says why, for the reader of a report."""


@dataclasses.dataclass(frozen=True)
class Operation:
    """One method on one path of the document.

    ``parameters`` and ``responses`` have their references resolved; ``responses``
    maps status codes (``"200"``, ``"4XX"``, ``"default"``) to Response Objects.
    ``media_type`` and ``body`` describe the request body and are empty without one.
    """

    operation_id: str
    method: str
    path: str
    parameters: Sequence[Node]
    media_type: str
    body: Node
    body_required: bool
    responses: Mapping[str, Node]


@dataclasses.dataclass(frozen=True)
class Call:
    """One HTTP request, ready to be sent, and what it is meant to show."""

    operation_id: str
    case: str
    method: str
    url: str
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes | None = None


@dataclasses.dataclass(frozen=True)
class Answer:
    """One HTTP response; ``headers`` ignores the case of names, as RFC 9110 asks."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    seconds: float


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one call showed.

    ``status`` is None when there was no HTTP answer, ``seconds`` is the time from
    connecting to the end of the body, ``problems`` is empty when all is well.
    ``case`` says in words what was sent; ``answer`` is the beginning of the body
    and is kept for failures only.
    """

    operation_id: str
    method: str
    url: str
    status: int | None
    seconds: float
    problems: tuple[str, ...]
    case: str = ""
    answer: str = ""

    @property
    def ok(self) -> bool:
        """True when the answer kept the contract."""
        return not self.problems

    def lines(self) -> list[str]:
        """Text for people: one line for a success, a short block for a failure."""
        status = "no answer" if self.status is None else str(self.status)
        title = f"{self.operation_id or 'service'} ({self.case})"
        request = f"{self.method} {self.url} -> {status} in {self.seconds:.3f} s"
        if self.ok:
            return [f"ok    {title}: {request}"]
        lines = [f"FAIL  {title}", f"      request: {request}"]
        lines += [f"      problem: {problem}" for problem in self.problems]
        if self.answer:
            lines.append(f"      answer:  {self.answer}")
        return lines


@dataclasses.dataclass(frozen=True)
class Report:
    """The outcomes of one check: calls that must succeed, and probes that must not."""

    operations: tuple[Outcome, ...]
    probes: tuple[Outcome, ...]

    @property
    def failures(self) -> list[Outcome]:
        """The outcomes that broke the contract, in the order of the calls."""
        return [outcome for outcome in self.operations + self.probes if not outcome.ok]

    @property
    def ok(self) -> bool:
        """True when every call and every probe kept the contract."""
        return not self.failures

    @property
    def operation_count(self) -> int:
        """How many operations were checked; one operation may take several calls."""
        return len({outcome.operation_id for outcome in self.operations})

    def to_dict(self) -> Node:
        """Plain data for JSON: ``ok``, ``operation_count``, ``operations``, ``probes``."""
        return {
            "ok": self.ok,
            "operation_count": self.operation_count,
            "operations": [dataclasses.asdict(outcome) for outcome in self.operations],
            "probes": [dataclasses.asdict(outcome) for outcome in self.probes],
        }

    def lines(self) -> list[str]:
        """Text for people: the lines of every outcome and a verdict at the end."""
        lines = [line for outcome in self.operations + self.probes for line in outcome.lines()]
        verdict = "contract kept" if self.ok else "contract BROKEN"
        lines.append(
            f"{verdict}: {self.operation_count} operations in {len(self.operations)} calls, "
            f"{len(self.probes)} probes, {len(self.failures)} failures",
        )
        return lines


# ---------------------------------------------------------------------------
# Reading the document
# ---------------------------------------------------------------------------


def load_spec(path: str) -> Node:
    """Read the OpenAPI 3.0 document in the YAML (or JSON) file ``path``.

    The schemas in the result are JSON Schema draft 4, see `to_json_schema`.

    Raises:
        InputError: the file cannot be read or is not an OpenAPI 3.0 document.

    """
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8")
        document = yaml.load(text, SAFE_LOADER)  # noqa: S506 - it is a safe one
    except OSError as error:
        message = f"cannot read the specification {path}: {error.strerror}; correct its path"
        raise InputError(message) from error
    except (yaml.YAMLError, UnicodeError) as error:
        message = f"{path} is not YAML: {error}; correct the file"
        raise InputError(message) from error
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3.0"):
        message = f"{path} is not an OpenAPI 3.0 document; its first key must be openapi: 3.0.x"
        raise InputError(message)
    if not isinstance(document.get("paths"), dict):
        message = f"{path} describes no operation; add one under its key paths"
        raise InputError(message)
    translated: Node = to_json_schema(document)
    check_references(translated, translated)
    check_component_schemas(translated)
    return translated


def to_json_schema(node: Json) -> Json:
    """Return a copy of ``node`` whose OpenAPI 3.0 schemas are JSON Schema draft 4.

    The two differ in one keyword that matters here: ``nullable: true`` adds null
    to the ``type`` beside it, and does nothing without one (OpenAPI 3.0.3, Schema
    Object). A boolean ``exclusiveMinimum`` and ignoring the siblings of ``$ref``
    are what draft 4 does anyway.
    """
    if isinstance(node, list):
        return [to_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    copy = {key: to_json_schema(value) for key, value in node.items()}
    if copy.get("nullable") is True and isinstance(copy.get("type"), str):
        copy["type"] = [copy["type"], "null"]
    return copy


def check_references(document: Node, node: Json) -> None:
    """Raise InputError when a ``$ref`` anywhere below ``node`` cannot be followed."""
    if isinstance(node, list):
        for item in node:
            check_references(document, item)
    if isinstance(node, dict):
        resolve(document, node)
        for item in node.values():
            check_references(document, item)


def check_component_schemas(document: Node) -> None:
    """Raise InputError when a schema under ``components`` is not a valid schema."""
    components = document.get("components") or {}
    check_schema({"definitions": components.get("schemas") or {}})


def check_schema(schema: Node) -> None:
    """Raise InputError when ``schema`` is not valid JSON Schema draft 4."""
    try:
        jsonschema.Draft4Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        message = f"invalid schema {pointer(error.absolute_path)} in the specification: "
        raise InputError(message + error.message) from error


def pointer(path: Iterable[str | int]) -> str:
    """Write a sequence of keys and indexes as a JSON Pointer (RFC 6901)."""
    keys = [str(key).replace("~", "~0").replace("/", "~1") for key in path]
    return "".join("/" + key for key in keys) or "(whole body)"


def resolve(document: Node, node: Json) -> Node:
    """Follow the ``$ref`` of ``node`` until an object that has none.

    Raises:
        InputError: the reference leads nowhere, in a circle, or to another file.

    """
    followed: list[str] = []
    while isinstance(node, dict) and isinstance(node.get("$ref"), str):
        reference = node["$ref"]
        if reference in followed:
            message = f"$ref {reference} leads back to itself; correct the specification"
            raise InputError(message)
        followed.append(reference)
        node = look_up(document, reference)
    return node if isinstance(node, dict) else {}


def look_up(document: Node, reference: str) -> Json:
    """Return what a reference such as ``#/components/schemas/Sum`` points to (RFC 6901)."""
    if not reference.startswith("#/"):
        message = f"$ref {reference} is not local; only references starting with #/ are followed"
        raise InputError(message)
    node: Json = document
    for part in reference[2:].split("/"):
        key = unquote(part).replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or key not in node:
            message = f"$ref {reference} points to nothing; correct the specification"
            raise InputError(message)
        node = node[key]
    return node


def list_operations(document: Node) -> list[Operation]:
    """Return every operation of the document, in the order of the document.

    Raises:
        InputError: there is none, or a parameter has no name or no place.

    """
    found = []
    for path, reference in document["paths"].items():
        item = resolve(document, reference)
        found += [
            read_operation(document, path, method, item) for method in METHODS if method in item
        ]
    if not found:
        message = "the specification has no operation; add one under its key paths"
        raise InputError(message)
    return found


def read_operation(document: Node, path: str, method: str, item: Node) -> Operation:
    """Build the `Operation` for ``method`` in the Path Item Object ``item``."""
    node = item[method] or {}
    # Parameters of the path hold for all of its operations unless one of them
    # declares the same name and place again; then the last one counts.
    declared = [*(item.get("parameters") or []), *(node.get("parameters") or [])]
    parameters = {}
    for reference in declared:
        parameter = read_parameter(document, path, reference)
        parameters[parameter["in"], parameter["name"]] = parameter
    request_body = resolve(document, node.get("requestBody"))
    media_type = choose_media_type(request_body.get("content") or {})
    # YAML reads an unquoted status code as a number.
    responses = {
        str(status): resolve(document, response)
        for status, response in (node.get("responses") or {}).items()
    }
    return Operation(
        operation_id=node.get("operationId") or f"{method.upper()} {path}",
        method=method.upper(),
        path=path,
        parameters=list(parameters.values()),
        media_type=media_type,
        body=(request_body.get("content") or {}).get(media_type) or {},
        body_required=bool(request_body.get("required")),
        responses=responses,
    )


def read_parameter(document: Node, path: str, reference: Node) -> Node:
    """Return a Parameter Object of ``path`` that certainly has a name and a place."""
    parameter = resolve(document, reference)
    if "in" not in parameter or "name" not in parameter:
        message = f"a parameter of {path} lacks its key in or name; add it to the specification"
        raise InputError(message)
    return parameter


def choose_media_type(content: Node) -> str:
    """Prefer JSON among the media types of a request body; "" when there is no body."""
    return next((name for name in content if is_json(name)), next(iter(content), ""))


def find_response(responses: Mapping[str, Node], status: int) -> Node | None:
    """Return the response declared for ``status``, None when it is not declared.

    The exact code comes before the range (``4XX``), the range before ``default``
    (OpenAPI 3.0.3, Responses Object).
    """
    for key in (str(status), status_range(status), "default"):
        if key in responses:
            return responses[key]
    return None


def status_range(status: int) -> str:
    """Return the range a status is in, the way OpenAPI writes it: ``4XX`` for 404."""
    return f"{status // 100}XX"


# ---------------------------------------------------------------------------
# Building requests
# ---------------------------------------------------------------------------


def example_of(document: Node, node: Node) -> Json:
    """Return the first example of a Parameter or Media Type Object, or NO_EXAMPLE."""
    if "example" in node:
        return node["example"]
    if node.get("examples"):
        first = next(iter(node["examples"].values()))
        return resolve(document, first).get("value")
    schema = resolve(document, node.get("schema"))
    return schema.get("example", schema.get("default", NO_EXAMPLE))


def is_required(parameter: Node) -> bool:
    """Tell whether a call needs the parameter; no path is complete without its own."""
    return bool(parameter.get("required")) or parameter["in"] == "path"


def example_values(document: Node, operation: Operation, *, optional: bool) -> Values:
    """Map (place, name) of parameters to their examples, e.g. ``("path", "a"): 3``."""
    values = {}
    for parameter in operation.parameters:
        example = example_of(document, parameter)
        if example is not NO_EXAMPLE and (optional or is_required(parameter)):
            values[parameter["in"], parameter["name"]] = example
    return values


def missing_examples(document: Node, operation: Operation) -> list[str]:
    """Say what keeps the operation from being called, as a list of problems."""
    problems = [
        f"required {parameter['in']} parameter {parameter['name']} has no example; "
        "add one to the specification"
        for parameter in operation.parameters
        if is_required(parameter) and example_of(document, parameter) is NO_EXAMPLE
    ]
    declared = {item["name"] for item in operation.parameters if item["in"] == "path"}
    problems += [
        f"path parameter {name} is not declared; add it to the specification"
        for name in re.findall(r"{([^}]+)}", operation.path)
        if name not in declared
    ]
    if operation.body_required and example_of(document, operation.body) is NO_EXAMPLE:
        problems.append("the required request body has no example; add one to the specification")
    return problems


def as_text(value: Json) -> str:
    """Write an example value the way it stands in a URL or a header (RFC 6570)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    if isinstance(value, list):
        return ",".join(as_text(item) for item in value)
    return str(value)


def fill_path(path: str, values: Values) -> str:
    """Put the path parameters into ``path``, percent-encoded (RFC 3986)."""

    def replacement(match: re.Match[str]) -> str:
        return quote(as_text(values["path", match.group(1)]), safe="")

    return re.sub(r"{([^}]+)}", replacement, path)


def query_string(operation: Operation, values: Values) -> str:
    """Write the query parameters as ``?a=1&b=2``; "" when there are none."""
    pairs: list[tuple[str, str]] = []
    for parameter in operation.parameters:
        place, name = parameter["in"], parameter["name"]
        if place != "query" or (place, name) not in values:
            continue
        value = values[place, name]
        # OpenAPI repeats the name for each item of a list unless told otherwise.
        repeat = isinstance(value, list) and parameter.get("explode", True)
        items = value if repeat else [value]
        pairs += [(name, as_text(item)) for item in items]
    return "?" + urlencode(pairs, quote_via=quote) if pairs else ""


def encode_body(media_type: str, value: Json) -> bytes:
    """Write a request body in its media type: JSON, an HTML form, or plain text."""
    if is_json(media_type):
        return json.dumps(value, default=as_text).encode()
    if media_type == "application/x-www-form-urlencoded" and isinstance(value, dict):
        return urlencode({name: as_text(item) for name, item in value.items()}).encode()
    return as_text(value).encode()


def build_call(
    operation: Operation,
    base: str,
    case: str,
    values: Values,
    body: Json,
) -> Call:
    """Build the request for ``operation`` from parameter values and a body (or NO_EXAMPLE)."""
    headers = {name: as_text(value) for (place, name), value in values.items() if place == "header"}
    encoded = None
    if body is not NO_EXAMPLE:
        headers["Content-Type"] = operation.media_type
        encoded = encode_body(operation.media_type, body)
    url = base + fill_path(operation.path, values) + query_string(operation, values)
    return Call(operation.operation_id, case, operation.method, url, headers, encoded)


def example_calls(document: Node, operation: Operation, base: str) -> list[Call]:
    """Return the calls that must succeed: without optional parameters, and with them."""
    body = example_of(document, operation.body)
    required = example_values(document, operation, optional=False)
    everything = example_values(document, operation, optional=True)
    calls = [build_call(operation, base, "examples", required, body)]
    if len(everything) > len(required):
        case = "examples and optional parameters"
        calls.append(build_call(operation, base, case, everything, body))
    return calls


def refuses_text(document: Node, schema: Json) -> bool:
    """Tell whether WRONG_VALUE breaks a schema: a number, an enumeration, a pattern.

    A list counts as its items do: in a URL, one wrong item makes the list wrong.
    """
    schema = resolve(document, schema)
    if "items" in schema:
        schema = resolve(document, schema["items"])
    return not make_validator(document, schema).is_valid(WRONG_VALUE)


def wrong_value_calls(document: Node, operation: Operation, base: str) -> list[Call]:
    """Return calls that must be refused, each with one value its schema forbids."""
    # All the other values are good ones, so that nothing else can be the reason.
    values = example_values(document, operation, optional=True)
    body = example_of(document, operation.body)
    calls = []
    for parameter in operation.parameters:
        place, name = parameter["in"], parameter["name"]
        if place in ("path", "query") and refuses_text(document, parameter.get("schema")):
            case = f"wrong value for {place} parameter {name}"
            wrong = {**values, (place, name): WRONG_VALUE}
            calls.append(build_call(operation, base, case, wrong, body))
    for case, wrong_body in wrong_bodies(document, operation, body):
        calls.append(build_call(operation, base, case, values, wrong_body))
    return calls


def wrong_bodies(document: Node, operation: Operation, body: Json) -> Iterator[tuple[str, Any]]:
    """Yield (case, body) for each member of a JSON body that can have a wrong value."""
    if body is NO_EXAMPLE or not is_json(operation.media_type):
        return
    schema = resolve(document, operation.body.get("schema"))
    if refuses_text(document, schema):
        yield "wrong value for the body", WRONG_VALUE
    for name, member in (schema.get("properties") or {}).items():
        if isinstance(body, dict) and refuses_text(document, member):
            yield f"wrong value for {name} in the body", {**body, name: WRONG_VALUE}


# ---------------------------------------------------------------------------
# Sending requests
# ---------------------------------------------------------------------------


def send(call: Call, timeout: float) -> Answer:
    """Send one request on a connection of its own and read the whole answer.

    Redirects are not followed and proxies are not used: the answer judged is the
    one of the service itself. ``timeout`` is the longest silence, in seconds.

    Raises:
        NoAnswerError: there was no complete HTTP answer.

    """
    url = urlsplit(call.url)
    host = url.hostname or ""
    secure = url.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(host, url.port, timeout=timeout)
    target = url.path + ("?" + url.query if url.query else "")
    headers = {"Accept": "*/*", "Connection": "close", **call.headers}
    started = time.monotonic()
    try:
        connection.request(call.method, target or "/", body=call.body, headers=headers)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswerError(explain(error, url.netloc, timeout)) from error
    finally:
        connection.close()
    return Answer(response.status, response.msg, body, time.monotonic() - started)


def explain(error: Exception, server: str, timeout: float) -> str:
    """Say in words why there was no answer from ``server`` (host:port)."""
    if isinstance(error, socket.timeout):
        return f"no answer from {server} within {timeout:g} s"
    if isinstance(error, ConnectionRefusedError):
        return f"connection refused: nothing listens on {server}; is the service running?"
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return f"{server} closed the connection without an answer"
    if isinstance(error, socket.gaierror):
        return f"the host name in {server} is unknown; correct the URL"
    return f"no usable answer from {server}: {error or type(error).__name__}"


def perform(call: Call, judge: Callable[[Answer], list[str]], timeout: float) -> Outcome:
    """Send ``call`` and let ``judge`` list the problems of the answer."""
    started = time.monotonic()
    try:
        answer = send(call, timeout)
    except NoAnswerError as error:
        return unanswered(call, time.monotonic() - started, str(error))
    problems = tuple(judge(answer))
    return Outcome(
        operation_id=call.operation_id,
        method=call.method,
        url=call.url,
        status=answer.status,
        seconds=answer.seconds,
        problems=problems,
        case=call.case,
        answer=excerpt(answer.body) if problems else "",
    )


def unanswered(call: Call, seconds: float, *problems: str) -> Outcome:
    """Return the outcome of a call that got no answer or could not be made."""
    return Outcome(call.operation_id, call.method, call.url, None, seconds, problems, call.case)


def excerpt(body: bytes) -> str:
    """Return the beginning of a body as one line of text."""
    text = body.decode("utf-8", errors="replace")
    return " ".join(text[:EXCERPT_LENGTH].split())


def wait_for_answer(call: Call, seconds: float, timeout: float) -> str:
    """Repeat ``call`` until the service answers anything at all.

    An accepted connection is not enough: the proxy of a container engine accepts
    connections before the program in the container listens. The last try may end
    up to ``timeout`` seconds after ``seconds`` have passed.

    Returns:
        "" after an answer, else the reason of the last failure.

    """
    deadline = time.monotonic() + seconds
    reason = reason_for_silence(call, timeout)
    while reason and time.monotonic() < deadline:
        time.sleep(PAUSE_BETWEEN_TRIES)
        reason = reason_for_silence(call, timeout)
    return reason


def reason_for_silence(call: Call, timeout: float) -> str:
    """Send ``call`` once and say why there was no answer; "" when there was one."""
    try:
        send(call, timeout)
    except NoAnswerError as error:
        return str(error)
    return ""


# ---------------------------------------------------------------------------
# Judging answers
# ---------------------------------------------------------------------------


def success_problems(document: Node, operation: Operation, answer: Answer) -> list[str]:
    """List what is wrong with the answer to a call made from the examples."""
    response = find_response(operation.responses, answer.status)
    if response is None:
        return [undeclared(operation, answer.status)]
    if status_range(answer.status) != "2XX":
        return [f"status {answer.status} is not a success, yet only documented examples were sent"]
    return response_problems(document, operation, response, answer)


def refusal_problems(document: Node, operation: Operation, answer: Answer) -> list[str]:
    """List what is wrong with the answer to a value its schema forbids."""
    if status_range(answer.status) == "5XX":
        return [f"bad input caused server error {answer.status}; expected a declared 4xx"]
    if status_range(answer.status) != "4XX":
        return [f"bad input was answered with status {answer.status}; expected a declared 4xx"]
    response = find_response(operation.responses, answer.status)
    if response is None:
        return [undeclared(operation, answer.status)]
    media_type = bare_media_type(answer.headers.get("Content-Type", ""))
    if media_type != PROBLEM_JSON:
        return [f"an error must be sent as {PROBLEM_JSON}, not as {media_type or 'no type at all'}"]
    return response_problems(document, operation, response, answer)


def status_problems(expected: int, answer: Answer) -> list[str]:
    """List the problem of any status but the expected one."""
    if answer.status == expected:
        return []
    return [f"status {answer.status} instead of {expected}"]


def undeclared(operation: Operation, status: int) -> str:
    """Say that a status is not in the specification, and which ones are."""
    declared = ", ".join(sorted(operation.responses)) or "none"
    return f"status {status} is not declared for this operation (declared: {declared})"


def response_problems(
    document: Node,
    operation: Operation,
    response: Node,
    answer: Answer,
) -> list[str]:
    """Hold headers and body of an answer against the Response Object declared for it."""
    problems = [
        f"required response header {name} is missing"
        for name, header in (response.get("headers") or {}).items()
        if resolve(document, header).get("required") and name not in answer.headers
    ]
    # The answer to HEAD never has a body (RFC 9110, section 9.3.2).
    if operation.method == "HEAD":
        return problems
    return problems + body_problems(document, response.get("content") or {}, answer)


def body_problems(document: Node, content: Node, answer: Answer) -> list[str]:
    """Hold the body against ``content``, the Media Type Objects of a response."""
    if not content:
        return ["the answer has a body where none is declared"] if answer.body else []
    media_type = bare_media_type(answer.headers.get("Content-Type", ""))
    declared = find_media_type(content, media_type)
    if declared is None:
        wanted = ", ".join(content)
        return [f"content type {media_type or '(none)'} is not declared (declared: {wanted})"]
    if not answer.body:
        return ["the body is empty"]
    if is_json(media_type):
        return json_problems(document, declared.get("schema") or {}, answer.body)
    return []


def bare_media_type(header: str) -> str:
    """Return ``text/html`` for ``Text/HTML; charset=utf-8`` (RFC 9110, section 8.3.1)."""
    return header.partition(";")[0].strip().lower()


def is_json(media_type: str) -> bool:
    """Tell whether bodies of this media type are JSON (RFC 6839 for the suffix)."""
    bare = bare_media_type(media_type)
    return bare == "application/json" or bare.endswith("+json")


def find_media_type(content: Node, media_type: str) -> Node | None:
    """Return what is declared for ``media_type``; exact names come before ranges."""
    declared = {bare_media_type(name): node or {} for name, node in content.items()}
    for key in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        if media_type and key in declared:
            found: Node = declared[key]
            return found
    return None


def json_problems(document: Node, schema: Node, body: bytes) -> list[str]:
    """Parse ``body`` as JSON and list where it breaks ``schema``."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=reject_constant)
    except ValueError as error:
        return [f"the body is not JSON: {error}"]
    errors = list(make_validator(document, schema).iter_errors(value))
    return [
        f"body {pointer(error.absolute_path)}: {error.message[:EXCERPT_LENGTH]}"
        for error in errors[:MAX_SCHEMA_PROBLEMS]
    ]


def make_validator(document: Node, schema: Node) -> jsonschema.Draft4Validator:
    """Return a validator for ``schema``, one of the schemas of ``document``.

    Raises:
        InputError: the schema itself is not valid.

    """
    # References in the schema start at the root of the document, so jsonschema gets
    # the document itself as a schema: it ignores all of its keys except allOf.
    root = {**document, "allOf": [schema]}
    check_schema(root)
    return jsonschema.Draft4Validator(root, format_checker=format_checker())


def reject_constant(name: str) -> None:
    """Refuse NaN and Infinity, which Python reads but RFC 8259 does not know."""
    message = f"{name} is not a JSON number"
    raise ValueError(message)


def format_checker() -> jsonschema.FormatChecker:
    """Return the formats that are checked, without libraries beyond jsonschema."""
    checker = jsonschema.FormatChecker(formats=("date", "email", "ipv4", "ipv6", "uuid"))
    checker.checks("date-time", raises=ValueError)(is_date_time)
    checker.checks("int32")(functools.partial(fits_bits, 32))
    checker.checks("int64")(functools.partial(fits_bits, 64))
    return checker


def is_date_time(value: object) -> bool:
    """Tell whether a string is an RFC 3339 date-time; other types have no format."""
    if not isinstance(value, str):
        return True
    match = re.fullmatch(r"([-\d]{10})[Tt]([:\d]{8})(\.\d+)?([Zz]|[+-]\d\d:\d\d)", value)
    if match is None:
        return False
    day, clock, _fraction, offset = match.groups()
    # Python 3.7 reads neither Z nor fractions of every length.
    dt.datetime.fromisoformat(f"{day}T{clock}" + offset.upper().replace("Z", "+00:00"))
    return True


def fits_bits(bits: int, value: object) -> bool:
    """Tell whether an integer fits a signed integer of ``bits`` bits."""
    if not isinstance(value, int):
        return True
    limit: int = 1 << (bits - 1)
    return -limit <= value < limit


# ---------------------------------------------------------------------------
# The whole check
# ---------------------------------------------------------------------------


def check(
    spec: str,
    url: str,
    timeout: float = DEFAULT_TIMEOUT,
    wait: float = 0,
    *,
    probe: bool = True,
) -> Report:
    """Check the service at ``url`` against the OpenAPI document in file ``spec``.

    Args:
        spec: path of the document.
        url: where the service listens, e.g. ``http://localhost:11000``; the path
            of the first server in the document is added to it.
        timeout: longest silence of the service during one call, in seconds.
        wait: how long to wait for the service to answer at all, in seconds.
        probe: whether to send bad input too.

    Raises:
        InputError: an argument or the document cannot be used.

    """
    if timeout <= 0 or wait < 0:
        message = "the time-out must be more than 0 s and the wait not less than 0 s"
        raise InputError(message)
    document = load_spec(spec)
    operations = list_operations(document)
    base = base_url(document, url)
    if wait:
        call = unknown_path_call(base, "wait for the first answer")
        reason = wait_for_answer(call, wait, timeout)
        if reason:
            problem = f"the service did not answer for {wait:g} s; the last try said: {reason}"
            return Report((), (unanswered(call, wait, problem),))
    calls = tuple(
        outcome
        for operation in operations
        for outcome in check_operation(document, operation, base, timeout)
    )
    # Without a single answer the probes would only repeat why there is none.
    answered = any(outcome.status is not None for outcome in calls)
    probes = check_probes(document, operations, base, timeout) if probe and answered else []
    return Report(calls, tuple(probes))


def base_url(document: Node, url: str) -> str:
    """Join ``url`` and the path of the first server of the document, e.g. ``/e222``.

    Raises:
        InputError: ``url`` is not an http or https URL with a host.

    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        usable = usable and not parts.query and not parts.fragment
    except ValueError:  # a port that is not a number
        usable = False
    if not usable:
        message = f"{url} is not a usable URL; give one like http://localhost:11000"
        raise InputError(message)
    servers = document.get("servers") or [{}]
    # A server may be an absolute URL; the caller has said which host to ask.
    server_path = urlsplit(servers[0].get("url") or "/").path
    return url.rstrip("/") + server_path.rstrip("/")


def check_operation(
    document: Node,
    operation: Operation,
    base: str,
    timeout: float,
) -> list[Outcome]:
    """Call one operation in each way its examples allow."""
    problems = missing_examples(document, operation)
    if problems:
        url = base + operation.path
        call = Call(operation.operation_id, "not called", operation.method, url)
        return [unanswered(call, 0.0, *problems)]
    judge = functools.partial(success_problems, document, operation)
    return [perform(call, judge, timeout) for call in example_calls(document, operation, base)]


def check_probes(
    document: Node,
    operations: Sequence[Operation],
    base: str,
    timeout: float,
) -> list[Outcome]:
    """Send wrong values, a method that is not declared and a path that does not exist."""
    callable_operations = [item for item in operations if not missing_examples(document, item)]
    outcomes = []
    for operation in callable_operations:
        judge = functools.partial(refusal_problems, document, operation)
        calls = wrong_value_calls(document, operation, base)
        outcomes += [perform(call, judge, timeout) for call in calls]
    not_allowed = functools.partial(status_problems, 405)
    calls = undeclared_method_calls(document, callable_operations, base)
    outcomes += [perform(call, not_allowed, timeout) for call in calls]
    not_found = functools.partial(status_problems, 404)
    outcomes.append(perform(unknown_path_call(base, "unknown path"), not_found, timeout))
    return outcomes


def undeclared_method_calls(
    document: Node,
    operations: Sequence[Operation],
    base: str,
) -> list[Call]:
    """Return one call, if possible, of a path with a method it does not declare."""
    for operation in operations:
        declared = resolve(document, document["paths"][operation.path])
        for method in ("PATCH", "DELETE", "PUT", "POST"):
            if method.lower() not in declared:
                values = example_values(document, operation, optional=False)
                url = base + fill_path(operation.path, values)
                return [Call("", "undeclared method", method, url)]
    return []


def unknown_path_call(base: str, case: str) -> Call:
    """Return a call that no service should know how to answer."""
    return Call("", case, "GET", base + "/no-such-path")


# ---------------------------------------------------------------------------
# Command line
# ---------------------------------------------------------------------------


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; wrong usage ends the program with exit code 2."""
    parser = argparse.ArgumentParser(
        prog="contract.py",
        description="Check a running service against its OpenAPI 3.0 document.",
        epilog="Exit codes: 0 contract kept, 1 contract broken, 2 unusable arguments or document.",
    )
    parser.add_argument("--spec", required=True, metavar="FILE", help="OpenAPI document (YAML)")
    parser.add_argument("--url", required=True, help="e.g. http://localhost:11000")
    parser.add_argument(
        "--timeout",
        type=float,
        default=DEFAULT_TIMEOUT,
        metavar="SECONDS",
        help="longest silence during one call (default: %(default)s)",
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="wait that long for the service to answer at all (default: do not wait)",
    )
    parser.add_argument("--no-probes", action="store_true", help="send valid requests only")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check from the command line and return the exit code."""
    options = parse_arguments(arguments)
    if IMPORT_ERROR:
        reason = IMPORT_ERROR.strip().splitlines()[-1]
        sys.stderr.write(f"contract.py: {reason}; install PyYAML and jsonschema\n")
        return EXIT_UNUSABLE
    try:
        report = check(
            options.spec,
            options.url,
            options.timeout,
            options.wait,
            probe=not options.no_probes,
        )
    except InputError as error:
        sys.stderr.write(f"contract.py: {error}\n")
        return EXIT_UNUSABLE
    text = json.dumps(report.to_dict(), indent=2) if options.json else "\n".join(report.lines())
    sys.stdout.write(f"{text}\n")
    return EXIT_OK if report.ok else EXIT_BROKEN


if __name__ == "__main__":
    sys.exit(main())
