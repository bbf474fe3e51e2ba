from __future__ import annotations

import contextlib
import copy
import time
from typing import TYPE_CHECKING, Any

import hypothesis
import hypothesis.strategies as st
import pytest
import yaml
from classvm.contract import spec_file
from classvm.contract.attempts import Caller, UncallableError
from classvm.contract.contract_document import SpecText
from classvm.contract.document import InputError
from classvm.contract.spec import list_operations
from tiny_service import SPEC

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SWAGGER = """\
swagger: "2.0"
info: {title: {{title}}, version: "1"}
basePath: /v2
paths:
  /a:
    get:
      responses:
        200: {description: fine}
        default: {description: not so fine}
"""


def test_the_places_of_promises() -> None:
    spec = spec_file.read_any(SpecText("a.yml", SWAGGER))
    (operation,) = list_operations(spec.document)
    assert spec.place(operation, 200) == "a.yml:8"
    assert spec.place(operation, 404) == "a.yml:9"
    assert spec.place(operation) == "a.yml:6"


def test_the_places_of_what_is_behind_a_reference() -> None:
    spec = spec_file.load(str(SPEC))
    lines = SPEC.read_text().splitlines()
    found = spec.place(list_operations(spec.document)[0], 404)
    assert lines[int(found.rpartition(":")[2]) - 1].strip().startswith('"4XX"')


def test_json_may_be_indented_by_tabs() -> None:
    text = '{\n\t"openapi": "3.0.0",\n\t"paths": {"/a": {"get": {"responses": {}}}}\n}'
    assert spec_file.read_any(SpecText("a.json", text)).document["paths"]


def test_strictly_only_openapi_3_is_read() -> None:
    assert spec_file.read_strictly(SpecText("a.yml", SPEC.read_text(), "/x")).base_path == "/x"
    with pytest.raises(InputError, match="not valid YAML"):
        spec_file.read_strictly(SpecText("a.yml", SWAGGER))
    with pytest.raises(InputError, match=r"not an OpenAPI 3\.0 document"):
        spec_file.read_strictly(SpecText("a.yml", 'swagger: "2.0"'))


LAUGHS = "".join(f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 9)}]\n" for at in range(1, 9))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", r"a\.yml is not an OpenAPI 3\.0 document"),
        ('swagger: "2.0"\npaths: {/a: {$ref: "http://h/x"}}', r"a.yml: \$ref http://h/x is not"),
        ('swagger: "2.0"\npaths: {/a: {get: {$ref: "#/none"}}}', "points to nothing"),
        ("openapi: 3.1.0\npaths: {}", r"not an OpenAPI 3\.0 document"),
        ("a0: &a0 x\n" + LAUGHS, "more than 10,000 values"),
        ("openapi: 3.0.0\nx: [" + "a, " * 1_600_000, "more than 1,000,000 bytes"),
        ("{{" * 400_000, "nested more than"),
        ("{{a" * 300_000, "not valid YAML|nested more than"),
    ],
)
def test_what_cannot_be_used_is_refused_soon(text: str, message: str) -> None:
    started = time.process_time()
    with pytest.raises(InputError, match=message) as refused:
        spec_file.read_any(SpecText("a.yml", text))
    assert time.process_time() - started < 3
    assert len(str(refused.value)) < 1000


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        spec_file.load(str(tmp_path / "none.yml"))


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from(["", "a", "#/info", "string"]),
    st.just([]),
    st.just({}),
    st.just(["a"]),
    st.just([{}]),
    st.just({"a": 1}),
    st.just({"$ref": "#/info"}),
    st.just({"type": ["a"]}),
)


def ways(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each value of a document."""
    yield path
    listed = enumerate(value) if isinstance(value, list) else ()
    for key, item in value.items() if isinstance(value, dict) else listed:
        yield from ways(item, (*path, key))


DOCUMENTS = [yaml.safe_load(SPEC.read_text()), yaml.safe_load(SWAGGER.replace("{{title}}", "t"))]


@hypothesis.given(st.data())
def test_junk_anywhere_in_a_spec_is_read_or_refused(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(DOCUMENTS)))
    *keys, last = data.draw(st.sampled_from([way for way in ways(document) if way]))
    inside = document
    for key in keys:
        inside = inside[key]
    inside[last] = copy.deepcopy(data.draw(JUNK))
    given = SpecText("a.yml", yaml.safe_dump(document))
    with contextlib.suppress(InputError):
        spec = spec_file.read_any(given)
        for operation in list_operations(spec.document):
            assert spec.place(operation, 200).startswith("a.yml:")
            with contextlib.suppress(InputError, UncallableError):
                assert list(Caller(spec.document, operation, "http://h").attempts())
