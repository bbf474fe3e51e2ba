"""Validate a request against its schema, with nothing but what every host's Python has.

It understands the words of JSON Schema that `schema` uses, and no others; tests compare it with the
library jsonschema.
"""

from __future__ import annotations

import json
import re
from typing import Any, Dict, Iterator, List, Mapping

from .protocol import REQUEST, RefusedError

# Of a request: the contract of an app is the largest part.
LARGEST = 8 << 20
# The kit itself sends valid requests, unless host and clone differ.
FIX = "If your clone is newer than this host, ask your admin to run `make provision`."
# What may be half of a character: JSON writes some as two escapes.
HALF = re.compile(rb"\\u[dD][89a-fA-F]")
TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}
# All words of JSON Schema that are understood.
WORDS = {
    "type",
    "properties",
    "required",
    "additionalProperties",
    "propertyNames",
    "pattern",
    "maxLength",
    "maxProperties",
    "enum",
    "items",
    "maxItems",
    "minimum",
    "maximum",
    "description",
}


def parse(text: bytes) -> Dict[str, Any]:
    """Return the request that a text holds.

    Raises:
        RefusedError: it is too large, or not one JSON object.

    """
    if len(text) > LARGEST:
        raise RefusedError(REQUEST, f"The request is larger than {LARGEST >> 20} MB", fix=FIX)
    try:
        found = json.loads(text.decode("utf-8"), parse_constant=_no_number)
        if HALF.search(text):  # neither a file nor a program takes half a character
            json.dumps(found, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise RefusedError(REQUEST, f"The request is not JSON ({error})", fix=FIX) from error
    if not isinstance(found, dict):
        raise RefusedError(REQUEST, "The request is not a JSON object", fix=FIX)
    return found


def require(request: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Make sure that a request is as its schema says.

    Raises:
        RefusedError: it is not; the text names the first wrong member.

    """
    problem = next(problems(request, schema), "")
    if problem:
        raise RefusedError(REQUEST, f"The request is not valid: {problem}", fix=FIX)


def problems(value: object, schema: Mapping[str, Any], at: str = "it") -> Iterator[str]:
    """Yield what is wrong with a value, a phrase each.

    Args:
        value: as JSON has it.
        schema: what it has to be.
        at: how the value is called.

    """
    kind = schema.get("type")
    if kind and not _is(value, kind):
        yield f"{at} is not of type {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at} is none of {', '.join(map(str, schema['enum']))}"
    if isinstance(value, str):
        yield from _of_text(value, schema, at)
    elif isinstance(value, dict):
        yield from _of_object(value, schema, at)
    elif isinstance(value, list):
        yield from _of_list(value, schema, at)
    elif isinstance(value, (int, float)) and not _is_within(value, schema):
        yield f"{at} is not between {schema.get('minimum')} and {schema.get('maximum')}"


def _is_within(value: float, schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))


def _of_text(value: str, schema: Mapping[str, Any], at: str) -> Iterator[str]:
    if len(value) > schema.get("maxLength", len(value)):
        yield f"{at} is longer than {schema['maxLength']} characters"
    elif "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        yield f"{at} does not match {schema['pattern']}"


def _of_list(value: List[object], schema: Mapping[str, Any], at: str) -> Iterator[str]:
    if len(value) > schema.get("maxItems", len(value)):
        yield f"{at} has more than {schema['maxItems']} members"
        return
    for one in value:
        yield from problems(one, schema.get("items", {}), f"a member of {at}")


def _of_object(value: Dict[str, Any], schema: Mapping[str, Any], at: str) -> Iterator[str]:
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    if len(value) > schema.get("maxProperties", len(value)):
        yield f"{at} has more than {schema['maxProperties']} members"
        return
    yield from (f"{name} is missing" for name in schema.get("required", ()) if name not in value)
    for name, one in value.items():
        yield from problems(name, schema.get("propertyNames", {}), f"the name {name[:40]!r}")
        if name in known:
            yield from problems(one, known[name], name)
        elif others is False:
            yield f"{name[:40]!r} is not known"
        elif isinstance(others, dict):
            yield from problems(one, others, name[:40])


def _is(value: object, kind: str) -> bool:
    # In Python, true is a number.
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, TYPES[kind])  # type: ignore[arg-type] # each is a type or a tuple of types


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is not a number")
