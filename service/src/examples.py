"""Find an example value for a parameter or a schema of ``master.yml``.

OpenAPI lets a spec leave examples out. Then the schema tells enough to make one up,
unless a pattern or a format restricts the text.
"""

from __future__ import annotations

from typing import Any

# The smallest text of each format that a URL can hold.
FORMATS = {
    "date": "2024-01-31",
    "date-time": "2024-01-31T12:00:00Z",
    "email": "a@example.com",
    "uuid": "123e4567-e89b-12d3-a456-426614174000",
}


def of_parameter(parameter: dict[str, Any], schema: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Return an example of ``parameter``, whose schema is ``schema``; None if none is known."""
    if "example" in parameter:
        return parameter["example"]
    for example in parameter.get("examples", {}).values():
        if "value" in example:
            return example["value"]
    return of_schema(schema)


def of_schema(schema: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """Return a value that fits ``schema``: a given one or a made-up one; None if none is known."""
    for key in ("example", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "string")
    if kind == "string":
        return text(schema)
    if kind in ("integer", "number"):
        return number(schema)
    return True if kind == "boolean" else None


def text(schema: dict[str, Any]) -> str | None:
    """Return a text of the wanted format and length, or None if a pattern restricts it."""
    if "pattern" in schema:
        return None
    shortest = "a" * max(1, schema.get("minLength", 1))
    found: str = FORMATS.get(str(schema.get("format")), shortest)
    return found


def number(schema: dict[str, Any]) -> float:
    """Return a whole number within the limits, or else the limit itself."""
    step = schema.get("multipleOf", 1)
    lowest = schema.get("minimum", step)
    if schema.get("exclusiveMinimum") is True:
        lowest += step
    chosen: float = min(max(step, lowest), schema.get("maximum", max(step, lowest)))
    return chosen
