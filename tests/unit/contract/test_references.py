from __future__ import annotations

import pytest
from classvm.contract import references
from classvm.contract.document import InputError


def test_a_reference_is_followed_to_its_end() -> None:
    document = {"a": {"$ref": "#/b~1c/d~0"}, "b/c": {"d~": {"e": 1}}}
    assert references.resolve(document, document["a"]) == {"e": 1}


@pytest.mark.parametrize(
    "reference",
    [
        "http://host/a.yml#/A",
        "https://host/",
        "file:///etc/passwd",
        "/etc/passwd",
        "a.yml#/A",
        "#a",
    ],
)
def test_only_references_inside_the_document_are_followed(reference: str) -> None:
    document = {"deep": [{"in": {"$ref": reference}}]}
    with pytest.raises(InputError, match="is not local; only references starting with #/"):
        references.check_references(document, document)


def test_every_object_is_visited() -> None:
    assert list(references.walk({"a": [{"b": 1}, 2]})) == [{"a": [{"b": 1}, 2]}, {"b": 1}]


@pytest.mark.parametrize(
    ("path", "text"), [([], "(whole body)"), (["a/b", 0, "c~"], "/a~1b/0/c~0")]
)
def test_pointer(path: list[str | int], text: str) -> None:
    assert references.pointer(path) == text
