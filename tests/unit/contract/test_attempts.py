from __future__ import annotations

from typing import Any

import pytest
import yaml
from classvm.contract import attempts
from classvm.contract.contract_document import SpecText
from classvm.contract.spec import list_operations
from classvm.contract.spec_file import read_any


def calls(text: str) -> list[attempts.Attempt]:
    """Return the attempts for an operation `get` or `post` of the path /a/{id}."""
    operation: dict[str, Any] = {"responses": {"200": {"description": "fine"}}}
    operation.update(yaml.safe_load(text) or {})
    method = "post" if "requestBody" in operation else "get"
    document = {"openapi": "3.0.0", "paths": {"/a/{id}": {method: operation}}}
    spec = read_any(SpecText("a.yml", yaml.safe_dump(document)))
    (one,) = list_operations(spec.document)
    return list(attempts.Caller(spec.document, one, "http://h").attempts())


ID = "{name: id, in: path, required: true, schema: {type: integer}}"


def test_an_example_is_taken() -> None:
    (only,) = calls("parameters: [{name: id, in: path, example: x y, schema: {type: string}}]")
    assert only.call.url == "http://h/a/x%20y"
    assert (only.made_up, only.guessed, only.has_input) == (False, False, True)


def test_without_an_example_a_value_is_made_up() -> None:
    (only,) = calls(f"parameters: [{ID}]")
    assert only.call.url == "http://h/a/1"
    assert (only.made_up, only.guessed) == (True, False)


def test_where_any_text_is_allowed_there_is_a_second_try() -> None:
    first, second = calls("parameters: [{name: id, in: path, schema: {type: string}}]")
    assert (first.call.url, second.call.url) == ("http://h/a/text", "http://h/a/1")
    assert first.guessed


def test_a_parameter_that_is_not_declared_gets_a_value_too() -> None:
    first, _ = calls("")
    assert first.call.url == "http://h/a/1"
    assert first.guessed


def test_what_is_required_is_sent_and_where() -> None:
    (only,) = calls(
        f"""
parameters:
  - {ID}
  - {{name: q, in: query, required: true, schema: {{type: boolean}}}}
  - name: f
    in: query
    required: true
    content: {{application/json: {{schema: {{type: integer}}}}}}
  - {{name: X-Id, in: header, required: true, schema: {{type: string, format: uuid}}}}
  - {{name: c, in: cookie, required: true, schema: {{type: integer}}}}
  - {{name: Accept, in: header, required: true, schema: {{type: string}}}}
  - {{name: o, in: query, schema: {{type: integer}}}}
"""
    )
    assert only.call.url == "http://h/a/1?q=true&f=1"
    assert set(only.call.headers) == {"X-Id", "Cookie"}
    assert only.call.headers["Cookie"] == "c=1"


def body(media_type: str, schema: str) -> list[attempts.Attempt]:
    return calls(
        f"parameters: [{ID}]\nrequestBody: {{content: {{{media_type}: {{schema: {schema}}}}}}}"
    )


@pytest.mark.parametrize(
    ("media_type", "schema", "sent"),
    [
        ("application/json", "{type: array, items: {type: integer}}", b"[1]"),
        ("application/x-www-form-urlencoded", "{properties: {a: {type: integer}}}", b"a=1"),
        ("text/plain", "{type: string}", b"text"),
        ("application/json", "{type: integer, example: 7}", b"7"),
    ],
)
def test_a_body_is_made_up(media_type: str, schema: str, sent: bytes) -> None:
    first = body(media_type, schema)[0]
    assert first.call.body == sent
    assert first.call.headers["Content-Type"] == media_type


@pytest.mark.parametrize(
    ("media_type", "chosen"), [("'*/*'", "application/json"), ("text/*", "text/plain")]
)
def test_where_any_media_type_is_allowed_one_is_chosen(media_type: str, chosen: str) -> None:
    assert body(media_type, "{type: string}")[0].call.headers["Content-Type"] == chosen


def test_an_upload_carries_a_file() -> None:
    first = body("multipart/form-data", "{properties: {f: {type: string, format: binary}}}")[0]
    assert b'name="f"; filename="example.txt"\r\nContent-Type: text/plain' in (
        first.call.body or b""
    )


@pytest.mark.parametrize(
    ("media_type", "schema", "reason"),
    [
        ("application/xml", "{type: object}", "needs a body of application/xml: give `example`"),
        ("application/json", "{type: string, pattern: '(?=a)b'}", "no body could be made up"),
    ],
)
def test_a_body_that_cannot_be_made_up(media_type: str, schema: str, reason: str) -> None:
    with pytest.raises(attempts.UncallableError, match=reason):
        body(media_type, schema)


def test_a_parameter_that_cannot_be_made_up() -> None:
    with pytest.raises(attempts.UncallableError, match="no value could be made up for `id`"):
        calls("parameters: [{name: id, in: path, schema: {type: integer, not: {}}}]")


def test_what_is_known_is_tried_last() -> None:
    document = {"openapi": "3.0.0", "paths": {"/a/{id}": {"get": {"responses": {}}}}}
    spec = read_any(SpecText("a.yml", yaml.safe_dump(document)))
    (one,) = list_operations(spec.document)
    caller = attempts.Caller(spec.document, one, "http://h", {("path", "id"): "fox"})
    *_, last = caller.attempts()
    assert last.call.url == "http://h/a/fox"
    assert caller.attempt(known=last.known).call == last.call


def test_an_example_comes_before_what_is_known() -> None:
    (only,) = calls("parameters: [{name: id, in: path, example: x, schema: {type: string}}]")
    assert only.known == {}
