"""Follow the references of a spec: only those that stay inside the document."""

from __future__ import annotations

from typing import Iterable, Iterator
from urllib.parse import unquote

from .document import InputError, Json, Node

SHOWN = 100  # characters of a reference in a message


def walk(node: Json) -> Iterator[Node]:
    """Yield every object of a document, the outermost first."""
    if isinstance(node, list):
        for item in node:
            yield from walk(item)
    if isinstance(node, dict):
        yield node
        for item in node.values():
            yield from walk(item)


def check_references(document: Node, node: Json) -> None:
    """Raise InputError when a ``$ref`` anywhere below ``node`` cannot be followed."""
    for one in walk(node):
        if not isinstance(one.get("$ref", ""), str):
            raise InputError(f"a $ref is {str(one['$ref'])[:SHOWN]}, where text belongs")
        resolve(document, one)


def resolve(document: Node, node: Json) -> Node:
    """Follow the ``$ref`` of ``node`` until an object that has none.

    Raises:
        InputError: the reference leads nowhere, in a circle, or to another file.

    """
    followed: list[str] = []
    while isinstance(node, dict) and isinstance(node.get("$ref"), str):
        reference = node["$ref"]
        if reference in followed:
            message = f"$ref {reference[:SHOWN]} leads back to itself; correct the specification"
            raise InputError(message)
        followed.append(reference)
        node = look_up(document, reference)
        if not isinstance(node, dict):
            message = f"$ref {reference[:SHOWN]} points to no object; correct the specification"
            raise InputError(message)
    return node if isinstance(node, dict) else {}


def look_up(document: Node, reference: str) -> Json:
    """Return what a reference such as ``#/components/schemas/Sum`` points to (RFC 6901)."""
    if not reference.startswith("#/"):
        message = (
            f"$ref {reference[:SHOWN]} is not local; only references starting with #/ are followed:"
        )
        message += " copy what it names below `components` of this file"
        raise InputError(message)
    node: Json = document
    for part in reference[2:].split("/"):
        key = unquote(part).replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or key not in node:
            message = f"$ref {reference[:SHOWN]} points to nothing; correct the specification"
            raise InputError(message)
        node = node[key]
    return node


def pointer(path: Iterable[str | int]) -> str:
    """Write a sequence of keys and indexes as a JSON Pointer (RFC 6901)."""
    keys = [str(key).replace("~", "~0").replace("/", "~1") for key in path]
    return "".join("/" + key for key in keys) or "(whole body)"
