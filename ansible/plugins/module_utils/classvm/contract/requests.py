"""Build the requests that must succeed, from the examples of the spec."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Iterator, Mapping
from urllib.parse import quote, urlencode

from .bodies import as_text, encode_body
from .document import Json, Node
from .examples import NO_EXAMPLE, Values, example_of, example_values
from .spec import Operation

# Between the items of a list in a query (OpenAPI 3.0.3, Style Values).
SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|"}


@dataclasses.dataclass(frozen=True)
class Call:
    """One HTTP request, ready to be sent, and what it is meant to show."""

    operation_id: str
    case: str
    method: str
    url: str
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes | None = None


def fill_path(path: str, values: Values) -> str:
    """Put the path parameters into ``path``, percent-encoded (RFC 3986)."""

    def replacement(match: re.Match[str]) -> str:
        return quote(as_text(values["path", match.group(1)]), safe="")

    return re.sub(r"{([^}]+)}", replacement, path)


def query_string(operation: Operation, values: Values) -> str:
    """Write the query parameters as ``?a=1&b=2``; "" when there are none."""
    pairs = [
        pair
        for parameter in operation.parameters
        if parameter["in"] == "query" and ("query", parameter["name"]) in values
        for pair in _pairs(parameter, values["query", parameter["name"]])
    ]
    return "?" + urlencode(pairs, quote_via=quote) if pairs else ""


def _pairs(parameter: Node, value: Json) -> Iterator[tuple[str, str]]:
    """Yield the names and texts by which a query carries the value of one parameter."""
    name, style = parameter["name"], parameter.get("style", "form")
    # OpenAPI repeats the name for each item of a list unless told otherwise.
    explode = parameter.get("explode", style in ("form", "deepObject"))
    if isinstance(value, dict) and "content" not in parameter:
        for key, item in value.items():
            yield (f"{name}[{key}]" if style == "deepObject" else str(key)), as_text(item)
    elif isinstance(value, dict):
        yield name, json.dumps(value, default=as_text)
    elif isinstance(value, list) and not explode:
        yield name, SEPARATORS.get(style, ",").join(as_text(item) for item in value)
    else:
        for item in value if isinstance(value, list) else [value]:
            yield name, as_text(item)


def build_call(
    operation: Operation,
    base: str,
    case: str,
    values: Values,
    body: Json,
) -> Call:
    """Build the request for ``operation`` from parameter values and a body (or NO_EXAMPLE)."""
    headers = {name: as_text(value) for (place, name), value in values.items() if place == "header"}
    cookies = [
        f"{name}={as_text(value)}" for (place, name), value in values.items() if place == "cookie"
    ]
    if cookies:
        headers["Cookie"] = "; ".join(cookies)
    encoded = None
    if body is not NO_EXAMPLE:
        content_type, encoded = encode_body(operation.media_type, body, operation.files)
        headers["Content-Type"] = content_type
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
