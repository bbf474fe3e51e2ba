"""Make sure that a document has the shape of OpenAPI 3.0, as far as the check walks it.

A list where an object belongs is refused here, with the way to it, so that nothing else has to
expect one. What a schema holds is left to `schemas.check_schema`.
"""

from __future__ import annotations

from typing import Any, Iterable

from .document import InputError, Json, Node
from .references import pointer

# What stands behind a key: a name of this table, "text", or "any" for any object; with "[]" for a
# list of them, with "{}" for a mapping to them.
OBJECTS = {
    "document": "paths:path{} components:components servers:server[] security:any[]",
    "components": (
        "schemas:schema{} parameters:parameter{} responses:response{} requestBodies:body{}"
        " headers:header{} securitySchemes:any{} examples:any{}"
    ),
    "server": "url:text variables:any{}",
    "path": (
        "parameters:parameter[] get:operation put:operation post:operation delete:operation"
        " options:operation head:operation patch:operation trace:operation"
    ),
    "operation": (
        "operationId:text parameters:parameter[] requestBody:body responses:response{}"
        " security:any[]"
    ),
    "parameter": "name:text in:text style:text schema:schema content:media{} examples:any{}",
    "body": "content:media{}",
    "response": "headers:header{} content:media{}",
    "header": "schema:schema",
    "media": "schema:schema examples:any{} encoding:any{}",
    "schema": "properties:schema{} items:schema not:schema",
    "any": "",
}
KEYS = {name: dict(word.split(":") for word in words.split()) for name, words in OBJECTS.items()}


def shaped(document: Node) -> Node:
    """Return a document without what is empty where an object or a list belongs.

    Raises:
        InputError: something is not what it must be.

    """
    shaped_document: Node = _shaped("document", document, ())
    return shaped_document


def _shaped(kind: str, value: Json, path: tuple[Any, ...]) -> Json:
    if kind.endswith("[]"):
        return [_shaped(kind[:-2], item, (*path, at)) for at, item in _items(value, path)]
    if kind == "text":
        return _text(value, path)
    if kind == "schema" and isinstance(value, bool):
        return value
    if value is None and kind == "operation":
        return {}
    if not isinstance(value, dict):
        raise _misshapen(value, path, "an object")
    if kind.endswith("{}"):
        inside: Iterable[tuple[Any, str]] = [(key, kind[:-2]) for key in value]
    else:
        inside = KEYS[kind].items()
    slots = {key: slot for key, slot in inside if not str(key).startswith("x-")}
    return {
        key: _shaped(slots[key], item, (*path, key)) if key in slots else item
        for key, item in value.items()
        # An operation of which nothing is said is one nevertheless.
        if item is not None or slots.get(key, "operation") == "operation"
    }


def _items(value: Json, path: tuple[Any, ...]) -> list[tuple[int, Json]]:
    if not isinstance(value, list):
        raise _misshapen(value, path, "a list")
    return [(at, item) for at, item in enumerate(value) if item is not None]


def _text(value: Json, path: tuple[Any, ...]) -> str:
    if not isinstance(value, (str, int, float)):
        raise _misshapen(value, path, "text")
    return str(value)


def _misshapen(value: Json, path: tuple[Any, ...], wanted: str) -> InputError:
    kinds: dict[type[Any], str] = {dict: "an object", list: "a list", str: "text"}
    found = kinds.get(type(value), str(value)[:40])
    where = pointer(path)[:200]
    return InputError(f"{where} in the specification is {found}, where {wanted} belongs")
