"""The credentials that an operation asks for, as far as its spec gives an example."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

from .document import Node
from .references import resolve
from .spec import Operation

NONE, GIVEN, MISSING = "none", "given", "missing"
EXAMPLES = ("x-example", "example")


def with_credentials(document: Node, operation: Operation) -> tuple[Operation, str]:
    """Return the operation with its credentials among its parameters, and whether it has them.

    Returns:
        The operation, and NONE (it needs none), GIVEN (the spec has examples) or MISSING.

    """
    wanted = operation.security
    alternatives = (
        [one for one in wanted if isinstance(one, dict)] if isinstance(wanted, list) else []
    )
    if not alternatives or {} in alternatives:
        return operation, NONE
    for alternative in alternatives:
        found = [_parameter(document, name) for name in alternative]
        if None not in found:
            parameters = [*operation.parameters, *[one for one in found if one]]
            return dataclasses.replace(operation, parameters=parameters), GIVEN
    return operation, MISSING


def _parameter(document: Node, name: str) -> Node | None:
    """Return a security scheme as a parameter with an example; None when it has none."""
    schemes = (document.get("components") or {}).get("securitySchemes") or {}
    scheme = resolve(document, schemes.get(name))
    example: Any = next((scheme[key] for key in EXAMPLES if key in scheme), None)
    if example is None:
        return None
    if scheme.get("type") == "apiKey":
        place, key = scheme.get("in", "header"), scheme.get("name", name)
        return {"in": place, "name": key, "required": True, "example": example}
    value = f"Bearer {example}"
    if str(scheme.get("scheme")).lower() == "basic":  # its example is "user:password"
        value = f"Basic {base64.b64encode(str(example).encode()).decode()}"
    return {"in": "header", "name": "Authorization", "required": True, "example": value}
