from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

import pytest
from classvm.contract import spec
from classvm.contract.document import InputError, Node
from tiny_service import write_spec

if TYPE_CHECKING:
    from collections.abc import Callable


def break_reference(document: Node) -> None:
    document["components"]["schemas"]["Sum"] = {"$ref": "#/components/schemas/Gone"}


def circle_reference(document: Node) -> None:
    document["components"]["schemas"]["Sum"] = {"$ref": "#/components/schemas/Sum"}


def foreign_reference(document: Node) -> None:
    document["components"]["schemas"]["Sum"] = {"$ref": "other.yml#/Sum"}


def break_schema(document: Node) -> None:
    document["components"]["schemas"]["Sum"]["type"] = "objekt"


def change_version(document: Node) -> None:
    document["openapi"] = "3.1.0"


def remove_paths(document: Node) -> None:
    document["paths"] = {}


def unnamed_parameter(document: Node) -> None:
    del document["components"]["parameters"]["B"]["name"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (break_reference, "points to nothing"),
        (circle_reference, "leads back to itself"),
        (foreign_reference, "not local"),
        (break_schema, "invalid schema /definitions/Sum/type"),
        (change_version, "not an OpenAPI 3.0 document"),
        (remove_paths, "no operation"),
        (unnamed_parameter, "lacks its key in or name"),
    ],
)
def test_unusable_document_is_refused(
    tmp_path: pathlib.Path, change: Callable[[Node], None], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        spec.list_operations(spec.load_spec(write_spec(tmp_path, change)))


@pytest.mark.parametrize(
    "url", ["localhost:11000", "ftp://host", "http://", "http://host:x", "http://host/?a=1"]
)
def test_unusable_url_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="not a usable URL"):
        spec.base_url({}, url)
