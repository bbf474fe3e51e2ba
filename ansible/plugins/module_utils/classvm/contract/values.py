"""Make up values that a schema allows, where the spec gives no example."""

from __future__ import annotations

import math
from typing import Any, Iterator

from .document import Json, Node
from .patterns import text_for
from .references import resolve
from .schemas import schema_errors

# Texts tried in turn where a schema allows any text: some are read as a number after all.
TEXTS = ("text", "1")
FORMATS = {
    "date": "2024-02-29",
    "date-time": "2024-02-29T12:30:00Z",
    "time": "12:30:00",
    "email": "student@example.com",
    "uuid": "00000000-0000-4000-8000-000000000001",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "hostname": "host.example.com",
    "uri": "http://www.example.com/",
    "url": "http://www.example.com/",
    "byte": "dGV4dA==",
}
FILE = b"A file made up by the contract check.\n"
LONGEST_TEXT, MOST_ITEMS, MOST_ALTERNATIVES, DEEPEST = 10_000, 100, 5, 8
COMBINED = ("allOf", "oneOf", "anyOf")


class Maker:
    """Makes up values for the schemas of a document.

    Attributes:
        made_up: whether a value was made up that no example, default or enumeration gives.
        guessed: whether such a value may be any text at all, so that only luck hits one that the
            service knows.

    """

    def __init__(self, document: Node, text: str = TEXTS[0]) -> None:
        self.document = document
        self.made_up = False
        self.guessed = False
        self._text = text
        self._open: list[int] = []

    def value(self, schema: Json) -> Json:
        """Return a value for a schema of the document; bytes for a file.

        It may break the schema, where the schema asks for more than is understood here.
        """
        node = resolve(self.document, schema)
        if len(self._open) > DEEPEST:
            return None
        self._open.append(id(node))
        try:
            return self._value(node)
        finally:
            self._open.pop()

    def _value(self, node: Node) -> Json:
        if "example" in node:
            return node["example"]
        if "default" in node:
            return node["default"]
        if node.get("enum"):
            return next((one for one in node["enum"] if one is not None), None)
        if any(isinstance(node.get(key), list) and node[key] for key in COMBINED):
            return self._combined(node)
        self.made_up = True
        return self._of_type(node)

    def _combined(self, node: Node) -> Json:
        value = None
        for candidate in self._flattened(node):
            value = self._value(candidate)
            if not schema_errors(self.document, node, value, 1):
                break
        return value

    def _flattened(self, node: Node) -> Iterator[Node]:
        """Yield schemas without alternatives: what holds for all, with one alternative each."""
        merged = {key: value for key, value in node.items() if key not in COMBINED}
        for part in _parts(node, "allOf"):
            merged = _merged(merged, resolve(self.document, part))
        # Parts may have parts of their own; what all have in common bounds how many there are.
        if any(key in merged for key in COMBINED):
            yield from self._flattened(merged)
            return
        alternatives = [*_parts(node, "oneOf"), *_parts(node, "anyOf")]
        if not alternatives:
            yield merged
        for part in alternatives[:MOST_ALTERNATIVES]:
            yield _merged(merged, resolve(self.document, part))

    def _of_type(self, node: Node) -> Json:
        kind = _type(node)
        simple = {"boolean": True, "null": None}
        if kind in simple:
            return simple[kind]
        if kind in ("integer", "number"):
            return _number(node, whole=kind == "integer")
        makers = {"object": self._object, "array": self._array}
        return makers.get(kind, self._string)(node)

    def _object(self, node: Node) -> Json:
        required = node.get("required") if isinstance(node.get("required"), list) else []
        properties = node.get("properties")
        made = {}
        for name, schema in properties.items() if isinstance(properties, dict) else ():
            member = resolve(self.document, schema)
            again = id(member) in self._open or len(self._open) == DEEPEST
            if not member.get("readOnly") and (name in (required or ()) or not again):
                made[name] = self.value(schema)
        for name in required or ():
            if name not in made and name not in (properties or ()):
                made[str(name)] = self.value({})
        return made

    def _array(self, node: Node) -> Json:
        items = node.get("items") or {}
        least = int(node.get("minItems") or 0)
        if least == 0 and id(resolve(self.document, items)) in self._open:
            return []
        count = min(max(least, 1), int(node.get("maxItems", MOST_ITEMS)), MOST_ITEMS)
        made = [self.value(items) for _ in range(count)]
        return list(_distinct(made, items)) if node.get("uniqueItems") else made

    def _string(self, node: Node) -> Json:
        if node.get("format") == "binary":
            self.guessed = True
            return FILE
        least, most = int(node.get("minLength") or 0), int(node.get("maxLength", LONGEST_TEXT))
        if isinstance(node.get("pattern"), str):
            found = text_for(node["pattern"], least, most)
            if found is not None:
                return found
        if node.get("format") in FORMATS:
            return FORMATS[node["format"]]
        self.guessed = True
        text = self._text
        return (text + text[-1] * min(least - len(text), LONGEST_TEXT))[:most]


def _parts(node: Node, key: str) -> list[Node]:
    found = node.get(key)
    return [part for part in found if isinstance(part, dict)] if isinstance(found, list) else []


def _merged(whole: Node, part: Node) -> Node:
    """Return what a value must be that has to keep two schemas, in simple cases."""
    merged = {**part, **whole}
    for key in ("properties", "required", *COMBINED):
        ours, theirs = whole.get(key), part.get(key)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            merged[key] = {**theirs, **ours}
        elif isinstance(ours, list) and isinstance(theirs, list):
            merged[key] = [*ours, *theirs]
    # The example of a part lacks what the other parts ask for.
    if "properties" in whole and "properties" in part:
        for key in ("example", "default"):
            if key not in whole:
                merged.pop(key, None)
    return merged


def _type(node: Node) -> str:
    kind = node.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in node or "additionalProperties" in node:
        return "object"
    if "items" in node:
        return "array"
    return "number" if "minimum" in node or "maximum" in node else "string"


def _number(node: Node, *, whole: bool) -> Json:
    low, high = node.get("minimum", -math.inf), node.get("maximum", math.inf)
    step = node.get("multipleOf") or 1
    inside = [low + 1, high - 1, (low + high) / 2]
    steps = (
        [math.ceil(low / step) * step, (math.floor(low / step) + 1) * step]
        if low > -math.inf
        else []
    )
    steps += [math.floor(high / step) * step] if high < math.inf else []
    for number in [1, step, 0, *steps, *inside, low, high]:
        if math.isfinite(number) and _fits(node, number, low, high, whole=whole):
            return int(number) if float(number).is_integer() else number
    return 1


def _fits(node: Node, number: float, low: float, high: float, *, whole: bool) -> bool:
    above = number > low if node.get("exclusiveMinimum") else number >= low
    below = number < high if node.get("exclusiveMaximum") else number <= high
    step = node.get("multipleOf")
    quotient = number / step if step else 0
    fits = abs(quotient - round(quotient)) < 1e-9  # noqa: PLR2004 - far below any step's digits
    return above and below and fits and (not whole or float(number).is_integer())


def _distinct(values: list[Json], items: Json) -> Iterator[Json]:
    """Yield as many values, each another one: the enumeration's, or counted up."""
    choices = items.get("enum") if isinstance(items, dict) else None
    if isinstance(choices, list):
        yield from choices[: len(values)]
        return
    for at, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            yield value
        else:
            yield value + at if not isinstance(value, str) else f"{value}{at or ''}"


def sendable(document: Node, schema: Json, value: Json) -> Json:
    """Return a value without the members that only answers have (`readOnly`)."""
    node = resolve(document, schema)
    if isinstance(value, list):
        return [sendable(document, node.get("items"), item) for item in value]
    if not isinstance(value, dict):
        return value
    members = _members(document, node)
    kept = (name for name in value if not members.get(name, {}).get("readOnly"))
    return {name: sendable(document, members.get(name), value[name]) for name in kept}


def _members(document: Node, node: Node) -> dict[str, Node]:
    """Return the schemas of an object's members, those of its parts included."""
    parts = [resolve(document, part) for part in _parts(node, "allOf")]
    own = node.get("properties")
    found = {name: schema for part in parts for name, schema in _members(document, part).items()}
    found.update(own if isinstance(own, dict) else {})
    return {name: resolve(document, schema) for name, schema in found.items()}


def is_valid(document: Node, schema: Json, value: Any) -> bool:  # noqa: ANN401 - JSON holds anything
    """Tell whether a value that was made up keeps its schema; files always do."""
    if isinstance(value, bytes):
        return True
    return not schema_errors(document, resolve(document, schema), value, 1)
