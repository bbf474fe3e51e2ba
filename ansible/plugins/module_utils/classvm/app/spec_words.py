"""The objects of OpenAPI 3.0 and Swagger 2.0: their keys, and what stands behind each.

Sources: https://spec.openapis.org/oas/v3.0.3 and https://spec.openapis.org/oas/v2.0
"""

from __future__ import annotations

from typing import Dict, Mapping, NamedTuple, Tuple

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
TYPES = ("string", "number", "integer", "boolean", "array", "object")
PLACES = {
    "3": ("query", "path", "header", "cookie"),
    "2": ("query", "path", "header", "formData", "body"),
}


class Words(NamedTuple):
    """The keys of an object.

    Attributes:
        required: keys that have to be there.
        keys: what stands behind each key: a name of `OBJECTS`, "" for anything, a name with "[]"
            for a list of them, with "{}" for a mapping to them.

    """

    required: Tuple[str, ...]
    keys: Mapping[str, str]


def _words(required: str, keys: str) -> Words:
    """Read "info:info paths:paths tags" as keys and what stands behind them."""
    pairs = (word.partition(":") for word in keys.split())
    return Words(tuple(required.split()), {key: kind for key, _, kind in pairs})


_SCHEMA = (
    "title multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern"
    " maxItems minItems uniqueItems maxProperties minProperties required enum type:type"
    " allOf:schema[] items:schema properties:schema{} additionalProperties:schema description"
    " format default discriminator readOnly xml externalDocs example"
)
_ITEMS = (
    "type:type format allowEmptyValue items:schema collectionFormat default maximum exclusiveMaximum"
    " minimum exclusiveMinimum maxLength minLength pattern maxItems minItems uniqueItems enum multipleOf"
)
_OPERATION = (
    "tags summary description externalDocs operationId responses:responses deprecated security"
)
_METHODS = " ".join(f"{method}:operation" for method in METHODS)

OBJECTS: Dict[str, Dict[str, Words]] = {
    "3": {
        "root": _words(
            "openapi info paths",
            "openapi info:info servers:server[] paths:paths components:components security tags externalDocs",
        ),
        "info": _words("title version", "title description termsOfService contact license version"),
        "server": _words("url", "url description variables"),
        "components": _words(
            "",
            "schemas:schema{} responses:response{} parameters:parameter{} examples"
            " requestBodies:requestBody{} headers:header{} securitySchemes links callbacks",
        ),
        "pathItem": _words("", f"summary description servers:server[] parameters:parameter[] {_METHODS}"),
        "operation": _words(
            "responses",
            f"{_OPERATION} parameters:parameter[] requestBody:requestBody callbacks servers:server[]",
        ),
        "parameter": _words(
            "name in",
            "name in:in description required deprecated allowEmptyValue style explode allowReserved"
            " schema:schema example examples content:media{}",
        ),
        "header": _words(
            "",
            "description required deprecated allowEmptyValue style explode allowReserved"
            " schema:schema example examples content:media{}",
        ),
        "requestBody": _words("content", "description content:media{} required"),
        "media": _words("", "schema:schema example examples encoding"),
        "response": _words("description", "description headers:header{} content:media{} links"),
        "schema": _words("", f"{_SCHEMA} oneOf:schema[] anyOf:schema[] not:schema nullable writeOnly deprecated"),
    },
    "2": {
        "root": _words(
            "swagger info paths",
            "swagger info:info host basePath schemes consumes produces paths:paths definitions:schema{}"
            " parameters:parameter{} responses:response{} securityDefinitions security tags externalDocs",
        ),
        "info": _words("title version", "title description termsOfService contact license version"),
        "pathItem": _words("", f"parameters:parameter[] {_METHODS}"),
        "operation": _words(
            "responses", f"{_OPERATION} consumes produces parameters:parameter[] schemes"
        ),
        "parameter": _words("name in", f"name in:in description required schema:schema {_ITEMS}"),
        "header": _words("type", f"description {_ITEMS}"),
        "response": _words("description", "description schema:schema headers:header{} examples"),
        "schema": _words("", _SCHEMA),
    },
}  # fmt: skip
