"""Say in words how a value differs from its schema."""

from __future__ import annotations

import difflib
import json
from typing import Any

from .document import Json
from .references import pointer

EXCERPT_LENGTH = 300
VALUE_LENGTH = 60
KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def problem(error: Any) -> str:  # noqa: ANN401 - jsonschema's own class
    """Return a sentence for a ``jsonschema.ValidationError``."""
    keys = pointer(error.absolute_path).lstrip("/") if error.absolute_path else ""
    where = f"`{keys}`" if keys else "the answer"
    if error.validator == "type":
        wanted = error.validator_value
        kinds = [KINDS.get(kind, str(kind)) for kind in _listed(wanted)]
        return f"{where} is {shown(error.instance)}, promised {' or '.join(kinds)}"
    if error.validator == "enum":
        choices = ", ".join(map(_json, _listed(error.validator_value)))
        return _bounded(f"{where} is {shown(error.instance)}, promised one of {choices}")
    text = error.message
    if error.validator == "required":
        text += _misspelt(error)
    return _bounded(f"`{keys}`: {text}" if keys else text)


def shown(value: Json) -> str:
    """Return a value as a reader may recognise it: `text "7.50"`, `an object`."""
    if isinstance(value, str):
        return f"text {_json(value)}"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return _json(value)


def _misspelt(error: Any) -> str:  # noqa: ANN401 - jsonschema's own class
    """Return the key that may be meant by the one that is missing, such as " (`currencey`?)"."""
    missing = error.message.partition("'")[2].partition("'")[0]
    promised = error.schema.get("properties")
    others = [key for key in error.instance if key not in (promised or ())]
    close = difflib.get_close_matches(missing, others, 1)
    return f", but missing (`{close[0]}`?)" if close else ""


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - JSON holds anything
    return value if isinstance(value, list) else [value]


def _json(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= VALUE_LENGTH else text[:VALUE_LENGTH] + "…"


def _bounded(text: str) -> str:
    return text if len(text) <= EXCERPT_LENGTH else text[:EXCERPT_LENGTH] + "…"
