"""Find the values to call an operation with: the examples of the spec."""

from __future__ import annotations

import re
from typing import Any, Mapping, Tuple

from .document import Json, Node
from .references import resolve
from .spec import Operation

# Stands for "there is none", because None itself is a possible example (JSON null).
NO_EXAMPLE = object()

# Values of parameters by place and name, e.g. ``("path", "a"): 3``.
Values = Mapping[Tuple[str, str], Any]


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


def lacks_examples(document: Node, operation: Operation) -> bool:
    """Tell whether what a call needs has no example, so that values have to be made up for it."""
    required = [one for one in operation.parameters if is_required(one)]
    if operation.body_required:
        required.append(operation.body)
    return any(example_of(document, one) is NO_EXAMPLE for one in required)


def undeclared_parameters(operation: Operation) -> list[str]:
    """Return a problem for each parameter in the path that the spec does not declare."""
    declared = {item["name"] for item in operation.parameters if item["in"] == "path"}
    return [
        f"path parameter {name} is not declared; add it to the specification"
        for name in re.findall(r"{([^}]+)}", operation.path)
        if name not in declared
    ]
