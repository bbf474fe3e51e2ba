from __future__ import annotations

import pytest
import yaml
from classvm.contract import swagger2
from classvm.contract.document import InputError, Node
from classvm.contract.spec import base_url, list_operations, server_path

DOCUMENT: Node = yaml.safe_load(
    """
swagger: "2.0"
basePath: /v2
consumes: [application/json]
produces: [application/json]
parameters:
  limit: {name: limit, in: query, type: integer, default: 5}
responses:
  Gone: {description: gone, schema: {$ref: '#/definitions/Pet'}}
securityDefinitions:
  login: {type: basic}
  key: {type: apiKey, in: header, name: X-Key}
security: [{login: []}]
paths:
  /pets:
    parameters:
      - {$ref: '#/parameters/limit'}
    get:
      operationId: pets.all
      produces: [text/csv]
      parameters:
        - {name: tags, in: query, type: array, items: {type: string}, collectionFormat: pipes}
        - {name: ids, in: query, type: array, items: {type: integer}, collectionFormat: multi}
        - {name: limit, in: query, type: integer, minimum: 1, x-example: 2}
      responses:
        200: {description: all, schema: {type: string}}
        410: {$ref: '#/responses/Gone'}
    post:
      parameters:
        - {name: pet, in: body, required: true, schema: {$ref: '#/definitions/Pet'}}
      responses:
        201: {description: made}
  /pictures:
    x-note: nothing
    put:
      consumes: [multipart/form-data]
      produces: []
      parameters:
        - {name: file, in: formData, type: file, required: true}
        - {name: note, in: formData, type: string}
      responses:
        200: {description: kept, schema: {type: file}}
    delete:
      consumes: []
      parameters:
        - {name: name, in: formData, type: string, x-example: fox}
      responses: {}
definitions:
  Pet: {type: object, properties: {name: {type: string}}}
"""
)
CONVERTED = swagger2.to_openapi3(DOCUMENT)


def operation(method: str, path: str) -> Node:
    found: Node = CONVERTED["paths"][path][method]
    return found


def test_its_version() -> None:
    assert swagger2.is_swagger2(DOCUMENT)
    assert swagger2.is_swagger2({"swagger": 2.0})
    assert not swagger2.is_swagger2({"openapi": "3.0.0"})
    assert CONVERTED["openapi"].startswith("3.0")


def test_the_base_path_becomes_a_server() -> None:
    assert server_path(CONVERTED) == "/v2"
    assert base_url(swagger2.to_openapi3({"paths": {}}), "http://h") == "http://h"


def test_parameters_of_path_and_operation() -> None:
    found = {one["name"]: one for one in operation("get", "/pets")["parameters"]}
    assert found["limit"]["schema"] == {"type": "integer", "minimum": 1}
    assert found["limit"]["example"] == 2
    assert (found["tags"]["style"], found["tags"]["explode"]) == ("pipeDelimited", False)
    assert found["ids"]["explode"]
    assert [one["name"] for one in operation("post", "/pets")["parameters"]] == ["limit"]


def test_a_body() -> None:
    assert operation("post", "/pets")["requestBody"] == {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/definitions/Pet"}}},
    }


def test_forms() -> None:
    upload = operation("put", "/pictures")["requestBody"]["content"]["multipart/form-data"]
    assert upload["schema"] == {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "note": {"type": "string"},
        },
    }
    form = operation("delete", "/pictures")["requestBody"]["content"][swagger2.FORM]
    assert form["schema"]["properties"] == {"name": {"type": "string", "example": "fox"}}


def test_answers() -> None:
    pets, pictures = operation("get", "/pets"), operation("put", "/pictures")
    assert pets["responses"][200]["content"] == {"text/csv": {"schema": {"type": "string"}}}
    assert pets["responses"][410]["content"]["text/csv"]["schema"]["$ref"] == "#/definitions/Pet"
    assert "content" not in operation("post", "/pets")["responses"][201]
    # Nothing is said about what kind of answer there is.
    assert pictures["responses"][200]["content"] == {"*/*": {}}


def test_security() -> None:
    schemes = CONVERTED["components"]["securitySchemes"]
    assert schemes["login"] == {"type": "http", "scheme": "basic"}
    assert schemes["key"]["name"] == "X-Key"
    assert CONVERTED["security"] == [{"login": []}]


def test_the_operations_can_be_listed() -> None:
    assert [(one.method, one.path) for one in list_operations(CONVERTED)] == [
        ("GET", "/pets"),
        ("POST", "/pets"),
        ("PUT", "/pictures"),
        ("DELETE", "/pictures"),
    ]


@pytest.mark.parametrize("value", [None, 1, "a", [], {}])
def test_what_is_not_as_it_must_be_is_left_out(value: object) -> None:
    document: Node = {"swagger": "2.0", "paths": {"/a": {"get": value, "parameters": value}}}
    assert "paths" in swagger2.to_openapi3(document)
    document = {
        "paths": {"/a": {"get": {"responses": value, "produces": value}}},
        "basePath": value,
    }
    swagger2.to_openapi3({**document, "securityDefinitions": value})
    assert swagger2.to_openapi3({"paths": value})["paths"] == {}


def test_a_parameter_without_a_name_is_refused() -> None:
    with pytest.raises(InputError, match="lacks its key in or name"):
        swagger2.to_openapi3({"paths": {"/a": {"get": {"parameters": [{"in": "query"}]}}}})
