"""Build the requests that the service must refuse."""

from __future__ import annotations

from typing import Any, Iterator, Sequence

from .document import Json, Node
from .examples import NO_EXAMPLE, Values, example_of, example_values
from .media_types import is_json
from .references import resolve
from .requests import Call, build_call, fill_path
from .schemas import schema_errors
from .spec import Operation

# Neither a number, nor a truth value, nor a date, nor likely in any enumeration.
WRONG_VALUE = "not-a-valid-value"


def refuses_text(document: Node, schema: Json) -> bool:
    """Tell whether `WRONG_VALUE` breaks a schema: a number, an enumeration, a pattern.

    A list counts as its items do: in a URL, one wrong item makes the list wrong.
    """
    schema = resolve(document, schema)
    if "items" in schema:
        schema = resolve(document, schema["items"])
    return bool(schema_errors(document, schema, WRONG_VALUE, 1))


def wrong_value_calls(document: Node, operation: Operation, base: str) -> list[Call]:
    """Return calls that must be refused, each with one value its schema forbids."""
    # All the other values are good ones, so that nothing else can be the reason.
    values = example_values(document, operation, optional=True)
    return wrong_calls(document, operation, base, values, example_of(document, operation.body))


def wrong_calls(
    document: Node, operation: Operation, base: str, values: Values, body: Json
) -> list[Call]:
    """Return `wrong_value_calls` of an operation whose good values and body are known."""
    calls = []
    for parameter in operation.parameters:
        place, name = parameter["in"], parameter["name"]
        if place in ("path", "query") and refuses_text(document, parameter.get("schema")):
            case = f"wrong value for {place} parameter {name}"
            wrong = {**values, (place, name): WRONG_VALUE}
            calls.append(build_call(operation, base, case, wrong, body))
    for case, wrong_body in wrong_bodies(document, operation, body):
        calls.append(build_call(operation, base, case, values, wrong_body))
    return calls


def wrong_bodies(document: Node, operation: Operation, body: Json) -> Iterator[tuple[str, Any]]:
    """Yield (case, body) for each member of a JSON body that can have a wrong value."""
    if body is NO_EXAMPLE or not is_json(operation.media_type):
        return
    schema = resolve(document, operation.body.get("schema"))
    if refuses_text(document, schema):
        yield "wrong value for the body", WRONG_VALUE
    for name, member in (schema.get("properties") or {}).items():
        if isinstance(body, dict) and refuses_text(document, member):
            yield f"wrong value for {name} in the body", {**body, name: WRONG_VALUE}


def undeclared_method_calls(
    document: Node,
    operations: Sequence[Operation],
    base: str,
) -> list[Call]:
    """Return one call, if possible, of a path with a method it does not declare."""
    for operation in operations:
        declared = resolve(document, document["paths"][operation.path])
        for method in ("PATCH", "DELETE", "PUT", "POST"):
            if method.lower() not in declared:
                values = example_values(document, operation, optional=False)
                url = base + fill_path(operation.path, values)
                return [Call("", "undeclared method", method, url)]
    return []


def unknown_path_call(base: str, case: str) -> Call:
    """Return a call that no service should know how to answer."""
    return Call("", case, "GET", base + "/no-such-path")
