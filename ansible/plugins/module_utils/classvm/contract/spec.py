"""Read a spec: the operations that it promises."""

from __future__ import annotations

import dataclasses
from typing import Mapping, Sequence
from urllib.parse import urlsplit

from .document import InputError, Json, Node, read_document
from .media_types import choose_media_type
from .references import check_references, resolve
from .schemas import check_component_schemas, check_evaluation, to_json_schema

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclasses.dataclass(frozen=True)
class Operation:
    """One method on one path of the document.

    ``parameters`` and ``responses`` have their references resolved; ``responses``
    maps status codes (``"200"``, ``"4XX"``, ``"default"``) to Response Objects.
    ``media_type`` and ``body`` describe the request body and are empty without one.
    """

    operation_id: str
    method: str
    path: str
    parameters: Sequence[Node]
    media_type: str
    body: Node
    body_required: bool
    responses: Mapping[str, Node]


def load_spec(path: str) -> Node:
    """Read the OpenAPI 3.0 document in the YAML (or JSON) file ``path``.

    The schemas in the result are JSON Schema draft 4, see `to_json_schema`.

    Raises:
        InputError: the file cannot be read or is not an OpenAPI 3.0 document.

    """
    return accept_spec(read_document(path), path)


def accept_spec(document: Json, path: str) -> Node:
    """Return what `load_spec` returns for a document that was read from ``path`` already."""
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3.0"):
        message = f"{path} is not an OpenAPI 3.0 document; its first key must be openapi: 3.0.x"
        raise InputError(message)
    if not isinstance(document.get("paths"), dict):
        message = f"{path} describes no operation; add one under its key paths"
        raise InputError(message)
    # Before anything else looks at the schemas: some would follow a reference to anywhere.
    check_references(document, document)
    translated: Node = to_json_schema(document)
    check_component_schemas(translated)
    check_evaluation(translated)
    return translated


def list_operations(document: Node) -> list[Operation]:
    """Return every operation of the document, in the order of the document.

    Raises:
        InputError: there is none, or a parameter has no name or no place.

    """
    found = []
    for path, reference in document["paths"].items():
        item = resolve(document, reference)
        found += [
            read_operation(document, path, method, item) for method in METHODS if method in item
        ]
    if not found:
        message = "the specification has no operation; add one under its key paths"
        raise InputError(message)
    return found


def read_operation(document: Node, path: str, method: str, item: Node) -> Operation:
    """Build the `Operation` for ``method`` in the Path Item Object ``item``."""
    node = item[method] or {}
    # Parameters of the path hold for all of its operations unless one of them
    # declares the same name and place again; then the last one counts.
    declared = [*(item.get("parameters") or []), *(node.get("parameters") or [])]
    parameters = {}
    for reference in declared:
        parameter = read_parameter(document, path, reference)
        parameters[parameter["in"], parameter["name"]] = parameter
    request_body = resolve(document, node.get("requestBody"))
    media_type = choose_media_type(request_body.get("content") or {})
    # YAML reads an unquoted status code as a number.
    responses = {
        str(status): resolve(document, response)
        for status, response in (node.get("responses") or {}).items()
    }
    return Operation(
        operation_id=node.get("operationId") or f"{method.upper()} {path}",
        method=method.upper(),
        path=path,
        parameters=list(parameters.values()),
        media_type=media_type,
        body=(request_body.get("content") or {}).get(media_type) or {},
        body_required=bool(request_body.get("required")),
        responses=responses,
    )


def read_parameter(document: Node, path: str, reference: Node) -> Node:
    """Return a Parameter Object of ``path`` that certainly has a name and a place."""
    parameter = resolve(document, reference)
    if "in" not in parameter or "name" not in parameter:
        message = f"a parameter of {path} lacks its key in or name; add it to the specification"
        raise InputError(message)
    return parameter


def find_response(responses: Mapping[str, Node], status: int) -> Node | None:
    """Return the response declared for ``status``, None when it is not declared.

    The exact code comes before the range (``4XX``), the range before ``default``
    (OpenAPI 3.0.3, Responses Object).
    """
    for key in (str(status), status_range(status), "default"):
        if key in responses:
            return responses[key]
    return None


def status_range(status: int) -> str:
    """Return the range a status is in, the way OpenAPI writes it: ``4XX`` for 404."""
    return f"{status // 100}XX"


def base_url(document: Node, url: str) -> str:
    """Join ``url`` and the path of the first server of the document, e.g. ``/e222``.

    Raises:
        InputError: ``url`` is not an http or https URL with a host.

    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        usable = usable and not parts.query and not parts.fragment
    except ValueError:  # a port that is not a number
        usable = False
    if not usable:
        message = f"{url} is not a usable URL; give one like http://localhost:11000"
        raise InputError(message)
    servers = document.get("servers") or [{}]
    # A server may be an absolute URL; the caller has said which host to ask.
    server_path = urlsplit(servers[0].get("url") or "/").path
    return url.rstrip("/") + server_path.rstrip("/")
