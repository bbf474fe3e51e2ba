from __future__ import annotations

import http.server
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from classvm.contract import schemas, spec
from classvm.contract.document import InputError, Node

if TYPE_CHECKING:
    from collections.abc import Iterator


def errors(schema: Node, value: object, components: Node | None = None) -> list[Any]:
    return schemas.schema_errors({"components": {"schemas": components or {}}}, schema, value, 5)


def test_a_value_is_held_against_its_schema() -> None:
    assert errors({"type": "integer"}, 1) == []
    assert [one.message for one in errors({"type": "integer"}, "1")] == [
        "'1' is not of type 'integer'"
    ]


def test_no_more_errors_are_looked_for_than_asked() -> None:
    schema = {"items": {"type": "integer"}}
    assert len(errors(schema, ["a"] * 100)) == 5


class Witness(http.server.ThreadingHTTPServer):
    """A host elsewhere, which counts who asks it."""

    asked = 0


class Handler(http.server.BaseHTTPRequestHandler):
    server: Witness

    def do_GET(self) -> None:
        self.server.asked += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"type": "integer"}')

    def log_message(self, *_: object) -> None:
        """Keep the output of the tests clean."""


@pytest.fixture
def witness() -> Iterator[Witness]:
    with Witness(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("reference", ["#/b", "{url}", "b"])
def test_an_id_leads_to_no_other_host(witness: Witness, reference: str) -> None:
    """A reference below an `id` starts at that address, though it begins with #/."""
    url = f"http://127.0.0.1:{witness.server_port}/schema"
    schema = {"id": url + "/a", "allOf": [{"$ref": reference.format(url=url)}]}
    with pytest.raises(InputError, match="leads out of the specification"):
        errors(schema, 1)
    assert witness.asked == 0


@pytest.mark.parametrize("reference", ["file:///etc/passwd", "other.yml#/a", "//host/a", "a"])
def test_a_reference_out_of_the_document_is_never_followed(reference: str) -> None:
    with pytest.raises(InputError, match="leads out of the specification"):
        errors({"allOf": [{"$ref": reference}]}, 1)


def test_a_pattern_that_is_none_is_refused() -> None:
    # Before jsonschema 4.18, only the use of a pattern shows that it is none.
    with pytest.raises(InputError, match=r"a pattern in the specification is not|not a .regex."):
        errors({"pattern": "("}, "a")


def evaluated(components: Node) -> None:
    schemas.check_evaluation({"components": {"schemas": components}})


def referring(name: str) -> Node:
    return {"$ref": f"#/components/schemas/{name}"}


def test_schemas_that_double_at_each_step_are_refused() -> None:
    doubling: Node = {f"S{at}": {"allOf": [referring(f"S{at + 1}")] * 2} for at in range(40)}
    started = time.monotonic()
    with pytest.raises(InputError, match="refers to too many others"):
        evaluated({**doubling, "S40": {"type": "integer"}})
    assert time.monotonic() - started < 1


def test_a_long_chain_of_references_is_refused() -> None:
    chain: Node = {f"S{at}": {"anyOf": [referring(f"S{at + 1}")]} for at in range(1000)}
    with pytest.raises(InputError, match="refers to too many others"):
        evaluated({**chain, "S1000": {}})


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_a_schema_that_contains_itself_is_refused(keyword: str) -> None:
    with pytest.raises(InputError, match="contains itself"):
        evaluated({"A": {keyword: [referring("B")]}, "B": {"not": referring("A")}})


@pytest.mark.parametrize("value", [True, 1, "a", None, {"a": 1}, [1, None, True]])
def test_what_is_no_list_of_schemas_is_left_to_the_validation(value: object) -> None:
    evaluated({"A": {"allOf": value, "not": value}})


def test_a_tree_and_a_few_alternatives_are_fine() -> None:
    tree: Node = {"properties": {"children": {"items": referring("Tree")}}}
    evaluated({"Tree": tree, "Any": {"oneOf": [referring("Tree")] * 10}})


def test_the_bounds_hold_for_a_spec(tmp_path: Any) -> None:
    path = tmp_path / "master.yml"
    path.write_text(
        "openapi: 3.0.0\npaths: {}\ncomponents:\n"
        "  schemas: {A: {allOf: [{$ref: '#/components/schemas/A'}]}}\n"
    )
    with pytest.raises(InputError, match="contains itself"):
        spec.load_spec(str(path))


LENIENT = [
    ({"type": "integer"}, 5.0),
    ({"type": "string", "format": "date-time"}, "2024-02-29T12:30:00.123456"),
    ({"type": "string", "format": "date-time"}, "2024-02-29 12:30:00"),
    ({"required": ["secret"], "properties": {"secret": {"writeOnly": True}}}, {}),
]


@pytest.mark.parametrize(("schema", "value"), LENIENT)
def test_what_many_good_services_answer_may_pass(schema: Node, value: object) -> None:
    assert schemas.schema_errors({}, schema, value, 1)
    assert schemas.schema_errors({}, schema, value, 1, lenient=True) == []


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, 5.5),
        ({"type": "integer"}, True),
        ({"type": "string", "format": "date-time"}, "yesterday"),
        ({"type": "string", "format": "date-time"}, "2024-02-30 12:30:00"),
        ({"type": "string", "format": "date-time"}, "2024-02-29"),
        ({"required": ["a"], "properties": {"a": {"readOnly": True}}}, {}),
        ({"required": ["a"]}, {}),
    ],
)
def test_what_is_wrong_is_wrong_in_any_case(schema: Node, value: object) -> None:
    assert schemas.schema_errors({}, schema, value, 1, lenient=True)


@pytest.mark.parametrize("key", ["nullable", "x-nullable"])
def test_null_may_be_allowed(key: str) -> None:
    schema = schemas.to_json_schema({"type": "string", key: True})
    assert schemas.schema_errors({}, schema, None, 1) == []


def test_a_message_about_a_schema_has_bounds() -> None:
    with pytest.raises(InputError) as refused:
        schemas.check_schema({"type": ["x" * 100_000], "properties": {"a" * 100_000: 1}})
    assert len(str(refused.value)) < 500
