"""Build the requests that must succeed, from the examples of the spec."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from typing import Mapping
from urllib.parse import quote, urlencode

from .document import Json, Node
from .examples import NO_EXAMPLE, Values, example_of, example_values
from .media_types import is_json
from .spec import Operation


@dataclasses.dataclass(frozen=True)
class Call:
    """One HTTP request, ready to be sent, and what it is meant to show."""

    operation_id: str
    case: str
    method: str
    url: str
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes | None = None


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
