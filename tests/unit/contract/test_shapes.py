from __future__ import annotations

import pytest
import yaml
from classvm.contract import shapes
from classvm.contract.document import InputError
from tiny_service import SPEC


def test_a_good_document_stays_as_it_is() -> None:
    document = yaml.safe_load(SPEC.read_text())
    assert shapes.shaped(document) == document


def test_what_is_empty_is_left_out_but_an_operation() -> None:
    text = "servers:\ncomponents: {schemas: }\npaths: {/a: {get: , parameters: }, /b: }"
    assert shapes.shaped(yaml.safe_load(text)) == {"components": {}, "paths": {"/a": {"get": {}}}}


def test_extensions_may_be_anything() -> None:
    document = {"paths": {"x-a": 1, "/a": {"x-b": [], "get": {"responses": {"x-c": "d"}}}}}
    assert shapes.shaped(document) == document


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("paths: []", "/paths in the specification is a list, where an object belongs"),
        ("servers: {a: 1}", "/servers in the specification is an object, where a list belongs"),
        ("servers: [a]", "/servers/0 in the specification is text, where an object"),
        ("paths: {/a: {get: 1}}", "/paths/~1a/get in the specification is 1, where an object"),
        ("paths: {/a: {parameters: [{name: []}]}}", "/parameters/0/name .* where text belongs"),
        ("paths: {/a: {get: {responses: {200: fine}}}}", "/responses/200 .* is text"),
        ("components: {schemas: {A: {properties: [a]}}}", "/A/properties .* is a list"),
    ],
)
def test_what_has_another_shape_is_named(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        shapes.shaped(yaml.safe_load(text))
