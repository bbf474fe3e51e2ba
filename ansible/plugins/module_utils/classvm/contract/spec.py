"""Read a spec: the operations that it promises."""

from __future__ import annotations

import dataclasses
from typing import Mapping, Sequence
from urllib.parse import urlsplit

from .bodies import file_members
from .document import InputError, Json, Node, read_document
from .media_types import choose_media_type
from .references import check_references, resolve
from .schemas import check_component_schemas, check_evaluation, to_json_schema
from .shapes import shaped

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclasses.dataclass(frozen=True)
class Operation:
    """One method on one path of the document.

    ``parameters`` and ``responses`` have their references resolved; ``responses``
    maps status codes (``"200"``, ``"4XX"``, ``"default"``) to Response Objects.
    ``media_type`` and ``body`` describe the request body and are empty without one; ``files``
    maps the names of its files to their media types.
    ``security`` holds the Security Requirement Objects of which one must be met; () when none.
    ``keys`` lead to the operation in its document.
    """

    operation_id: str
    method: str
    path: str
    parameters: Sequence[Node]
    media_type: str
    body: Node
    body_required: bool
    responses: Mapping[str, Node]
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    security: Sequence[Node] = ()
    keys: Sequence[str] = ()


def load_spec(path: str) -> Node:
    """Read the OpenAPI 3.0 document in the YAML (or JSON) file ``path``, see `accept_spec`.

    Raises:
        InputError: the file cannot be read or is not an OpenAPI 3.0 document.

    """
    return accept_spec(read_document(path), path)


def accept_spec(document: Json, path: str) -> Node:
    """Return the OpenAPI 3.0 document that was read from ``path``, ready to be checked.

    The schemas in the result are JSON Schema draft 4, see `to_json_schema`.

    Raises:
        InputError: it is not an OpenAPI 3.0 document, or not within bounds.

    """
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3.0"):
        message = f"{path} is not an OpenAPI 3.0 document; its first key must be openapi: 3.0.x"
        raise InputError(message)
    if not isinstance(document.get("paths"), dict):
        message = f"{path} describes no operation; add one under its key paths"
        raise InputError(message)
    # Before anything else looks at the schemas: some would follow a reference to anywhere.
    check_references(document, document)
    translated: Node = to_json_schema(shaped(document))
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
    content = request_body.get("content") or {}
    media_type = choose_media_type(content)
    body = content.get(media_type) or {}
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
        body=body,
        body_required=bool(request_body.get("required")),
        responses=responses,
        files=file_members(document, body),
        security=node.get("security", document.get("security")) or (),
        keys=("paths", path, method),
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


def base_url(document: Node, url: str, base_path: str | None = None) -> str:
    """Join ``url`` and the path of the first server of the document, e.g. ``/e222``.

    Args:
        document: the spec.
        url: where the service listens.
        base_path: the path to add in place of the document's; None: the document's.

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
    path = server_path(document) if base_path is None else base_path
    return url.rstrip("/") + ("/" + path.strip("/")).rstrip("/")


def server_path(document: Node) -> str:
    """Return the path of the first server of the document, "" when there is none."""
    servers = document.get("servers")
    first = servers[0] if isinstance(servers, list) and servers else {}
    address = str(first.get("url") or "/") if isinstance(first, dict) else "/"
    for name, variable in (first.get("variables") or {}).items() if "{" in address else ():
        address = address.replace("{" + str(name) + "}", str(variable.get("default", "")))
    # A server may be an absolute URL; the caller has said which host to ask.
    return urlsplit(address).path
