"""Turn a Swagger 2.0 document into one of OpenAPI 3.0, as far as the check looks at it.

Schemas stay where they are (`definitions`), so each reference stays valid.
Source: the Swagger 2.0 specification.
"""

from __future__ import annotations

from typing import Any, Iterable

from .document import InputError, Node
from .references import resolve

FORM, UPLOAD = "application/x-www-form-urlencoded", "multipart/form-data"
# What a parameter says about itself, and in OpenAPI 3.0 its schema says.
NOT_SCHEMA = ("name", "in", "required", "description", "collectionFormat", "x-example", "schema")
STYLES = {"ssv": "spaceDelimited", "pipes": "pipeDelimited"}


def is_swagger2(document: Node) -> bool:
    """Tell whether a document says that it is of Swagger 2.0."""
    return str(document.get("swagger", "")).startswith("2")


def to_openapi3(document: Node) -> Node:
    """Return the document as OpenAPI 3.0.

    Raises:
        InputError: a reference cannot be followed, or something is not what it must be.

    """
    paths = document.get("paths")
    converted = {
        str(path): _path_item(document, resolve(document, item))
        for path, item in (paths.items() if isinstance(paths, dict) else ())
        if str(path).startswith("/")
    }
    kept = {key: value for key, value in document.items() if key not in ("swagger", "paths")}
    security = document.get("securityDefinitions")
    return {
        **kept,
        "openapi": "3.0.3",
        "servers": [{"url": str(document.get("basePath") or "/")}],
        "paths": converted,
        "components": {"securitySchemes": _security_schemes(security)},
    }


def _security_schemes(definitions: Any) -> Node:  # noqa: ANN401 - YAML holds anything
    schemes = definitions.items() if isinstance(definitions, dict) else ()
    return {
        name: {**scheme, "type": "http", "scheme": "basic"}
        if scheme.get("type") == "basic"
        else scheme
        for name, scheme in schemes
        if isinstance(scheme, dict)
    }


def _path_item(document: Node, item: Node) -> Node:
    shared = _parameters(document, item)
    return {
        method: _operation(document, node, shared)
        for method, node in item.items()
        if isinstance(node, dict)
    }


def _parameters(document: Node, node: Node) -> list[Node]:
    listed = node.get("parameters")
    found = [resolve(document, one) for one in listed] if isinstance(listed, list) else []
    for one in found:
        if not isinstance(one.get("in"), str) or not isinstance(one.get("name"), str):
            raise InputError("a parameter lacks its key in or name; add it to the specification")
    return found


def _operation(document: Node, node: Node, shared: list[Node]) -> Node:
    # Those of the operation count before those of its path.
    known = {(one["in"], one["name"]): one for one in [*shared, *_parameters(document, node)]}
    parameters = list(known.values())
    consumes = _media_types(document, node, "consumes")
    produces = _media_types(document, node, "produces") or ["*/*"]
    body = _body(parameters, consumes)
    responses = node.get("responses")
    converted = {
        **node,
        "parameters": [
            _parameter(one) for one in parameters if one["in"] not in ("body", "formData")
        ],
        "responses": {
            status: _response(resolve(document, response), produces)
            for status, response in (responses.items() if isinstance(responses, dict) else ())
        },
    }
    return {**converted, "requestBody": body} if body else converted


def _media_types(document: Node, node: Node, key: str) -> list[str]:
    listed = node.get(key, document.get(key))
    return [str(one) for one in listed] if isinstance(listed, list) else []


def _schema(node: Node) -> Node:
    schema = {key: value for key, value in node.items() if key not in NOT_SCHEMA}
    if schema.get("type") == "file":
        return {**schema, "type": "string", "format": "binary"}
    return schema


def _parameter(node: Node) -> Node:
    layout = node.get("collectionFormat", "csv")
    converted = {
        "name": node["name"],
        "in": node["in"],
        "required": bool(node.get("required")),
        "schema": _schema(node),
        "explode": layout == "multi",
        "style": STYLES.get(layout, "form"),
    }
    return {**converted, "example": node["x-example"]} if "x-example" in node else converted


def _body(parameters: Iterable[Node], consumes: list[str]) -> Node:
    """Return the Request Body Object of what stands among the parameters; {} without one."""
    whole = [one for one in parameters if one["in"] == "body"]
    fields = [one for one in parameters if one["in"] == "formData"]
    if whole:
        media: Node = {"schema": whole[0].get("schema") or {}}
        if "x-example" in whole[0]:
            media["example"] = whole[0]["x-example"]
        content = dict.fromkeys(consumes or ["application/json"], media)
        return {"required": bool(whole[0].get("required")), "content": content}
    if fields:
        has_file = any(one.get("type") == "file" for one in fields)
        forms = [name for name in consumes if name in (FORM, UPLOAD)]
        name = UPLOAD if has_file or not forms else forms[0]
        if not has_file and not forms:
            name = FORM
        return {"required": True, "content": {name: {"schema": _form(fields)}}}
    return {}


def _form(fields: list[Node]) -> Node:
    properties = {
        one["name"]: {
            **_schema(one),
            **({"example": one["x-example"]} if "x-example" in one else {}),
        }
        for one in fields
    }
    required = [one["name"] for one in fields if one.get("required")]
    schema: Node = {"type": "object", "properties": properties}
    return {**schema, "required": required} if required else schema


def _response(node: Node, produces: list[str]) -> Node:
    if "schema" not in node:
        return {"description": str(node.get("description", ""))}
    schema = node["schema"] if isinstance(node["schema"], dict) else {}
    # A file is whatever the operation produces: nothing to validate.
    media = {} if schema.get("type") == "file" else {"schema": schema}
    return {"content": dict.fromkeys(produces, media)}
