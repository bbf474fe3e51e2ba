from __future__ import annotations

import http.server
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from classvm.app import layout, openapi
from classvm.base.errors import ClassvmError
from classvm.contract.spec import METHODS
from small_app import SPEC, append, write

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVICE = Path(__file__).parents[3] / "service"


def test_the_labs_own_service_is_accepted() -> None:
    spec = openapi.load_spec(SERVICE / layout.SPEC)
    assert list(openapi.operation_ids(spec))
    openapi.check_handlers(SERVICE, spec)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("openapi: [", "is not valid YAML: .*line"),
        ("", "is not valid OpenAPI 3"),
        ("- a list", "is not valid OpenAPI 3"),
        ("info: {}", "is not valid OpenAPI 3"),
        (SPEC.replace("description", "descriptoin"), "is not valid OpenAPI 3: .*descriptoin"),
        (SPEC.replace("title: Lab, ", ""), "is not valid OpenAPI 3: .title. is a required"),
        (SPEC.replace("operationId: src.sum.get", ""), "GET /sum has no operationId"),
    ],
)
def test_a_broken_contract_is_refused(text: str, reason: str, folder: Path) -> None:
    write(folder, layout.SPEC, text)
    with pytest.raises(ClassvmError, match=reason) as refused:
        openapi.check_contract(folder)
    assert layout.SPEC in str(refused.value)


def test_a_contract_that_was_valid_is_not_validated_again(folder: Path) -> None:
    write(folder, layout.SPEC, SPEC.replace("title: Lab, ", ""))
    digest = openapi.contract_digest(folder)
    openapi.check_contract(folder, [digest])
    append(folder, layout.SPEC, "\n")
    with pytest.raises(ClassvmError, match="is not valid OpenAPI 3"):
        openapi.check_contract(folder, [digest])


def test_the_handlers_of_a_valid_contract_are_still_checked(folder: Path) -> None:
    (folder / "src/sum.py").unlink()
    with pytest.raises(ClassvmError, match=r"The handler src\.sum\.get is not there"):
        openapi.check_contract(folder, [openapi.contract_digest(folder)])


def test_a_contract_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / layout.SPEC).write_bytes(b"\xff\xfe\0")
    with pytest.raises(ClassvmError, match=r"master\.yml is not valid"):
        openapi.check_contract(folder)


def test_each_method_is_an_operation() -> None:
    item = {method: {"operationId": f"src.a.{method}"} for method in METHODS}
    spec = {"paths": {"/a": {**item, "parameters": []}, "/b": {}}}
    assert list(openapi.operation_ids(spec)) == [f"src.a.{method}" for method in METHODS]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("", r"sum\.py has no function `get`"),
        ("def put(): ...\n", r"sum\.py has no function `get`"),
        ("class A:\n    def get(self): ...\n", r"sum\.py has no function `get`"),
        ("x = 1\ndef get(:\n", r"invalid syntax .*sum\.py:2"),
        ("\0", r"null bytes .*sum\.py:1"),
    ],
)
def test_a_broken_handler_is_named(code: str, reason: str, folder: Path) -> None:
    write(folder, "src/sum.py", code)
    with pytest.raises(ClassvmError, match=reason):
        openapi.check_contract(folder)


def test_a_handler_in_an_old_encoding_is_named(folder: Path) -> None:
    (folder / "src/sum.py").write_bytes(b"def get():\n    return 'caf\xe9'\n")
    with pytest.raises(ClassvmError, match=r"utf-8.*sum\.py:\d"):
        openapi.check_contract(folder)
    (folder / "src/sum.py").write_bytes(b"# coding: latin-1\ndef get():\n    return 'caf\xe9'\n")
    openapi.check_contract(folder)


def test_a_handler_may_be_a_class(folder: Path) -> None:
    write(folder, "src/sum.py", "class get: ...\n")
    openapi.check_contract(folder)


def test_a_missing_handler_file_is_named(folder: Path) -> None:
    (folder / "src/sum.py").unlink()
    missing = r"The handler src\.sum\.get is not there: .*src/sum\.py is missing"
    with pytest.raises(ClassvmError, match=missing):
        openapi.check_contract(folder)


def test_handlers_are_not_executed(folder: Path) -> None:
    append(folder, "src/sum.py", "import no_such_package\nraise SystemExit\n")
    openapi.check_contract(folder)


# --- a spec cannot make the control node do what its author wants ------------------------------


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """Return the requests that reach a host elsewhere; its address is in the first one."""
    requests: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"type": "string"}')

        def log_message(self, *_: object) -> None:
            """Keep the output of the tests clean."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        requests.append(f"http://127.0.0.1:{server.server_port}/a.yml")
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield requests
        server.shutdown()


def refused(folder: Path, schema: str) -> str:
    """Return why a spec with this schema (YAML, one line) is refused."""
    write(folder, layout.SPEC, f"{SPEC}components:\n  schemas:\n    A: {schema}\n")
    started = time.process_time()
    with pytest.raises(ClassvmError) as error:
        openapi.check_contract(folder)
    assert time.process_time() - started < 3
    return str(error.value)


@pytest.mark.parametrize(
    "schema", ["{{$ref: '{url}'}}", "{{id: '{url}', allOf: [{{$ref: '#/x'}}, {{$ref: b.yml}}]}}"]
)
def test_no_other_host_is_asked(schema: str, folder: Path, asked: list[str]) -> None:
    reason = refused(folder, schema.format(url=asked[0]))
    assert reason.startswith(f"{folder / layout.SPEC}")
    assert asked[1:] == []


def test_no_other_file_is_read(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not for everybody: 1")
    assert "not for everybody" not in refused(folder, f"{{$ref: 'file://{secret}'}}")
    assert "not for everybody" not in refused(folder, f"{{$ref: '{secret}'}}")


def test_a_reference_to_elsewhere_says_what_to_do(folder: Path) -> None:
    reason = refused(folder, "{$ref: 'http://host/a.yml#/A'}")
    assert "$ref http://host/a.yml#/A is not local" in reason
    assert "copy" in reason


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ("[" + "{a: &a [1,1,1,1,1,1,1,1,1]}, " + "*a, " * 30_000 + "]", "more than 10,000 values"),
        ("[" * 100_000, "nested more than 60 levels"),
        ("{" + ", ".join(f"p{at}: {{type: string}}" for at in range(250_000)) + "}", "bytes"),
        ("{allOf: [{$ref: '#/components/schemas/A'}]}", "contains itself"),
    ],
    ids=["aliases", "depth", "five megabytes", "a schema in itself"],
)
def test_a_spec_that_would_take_for_ever_is_refused(schema: str, reason: str, folder: Path) -> None:
    assert reason in refused(folder, schema)


def test_a_spec_at_the_bounds_is_checked_in_time(folder: Path) -> None:
    schemas = "".join(f"    S{at}: {{type: object, minProperties: 1}}\n" for at in range(1_600))
    write(folder, layout.SPEC, f"{SPEC}components:\n  schemas:\n{schemas}")
    started = time.process_time()
    openapi.check_contract(folder)
    assert time.process_time() - started < 3
