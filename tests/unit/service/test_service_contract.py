"""Every operation of master.yml keeps what the contract promises."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import server
from connexion.json_schema import Draft4ResponseValidator, resolve_refs
from src import hello, spec, validation

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

OPERATIONS = spec.operations()


def definition(operation: spec.Operation) -> dict[str, Any]:
    """Return the part of master.yml on ``operation``, without references."""
    resolved = resolve_refs(copy.deepcopy(spec.load()))
    path = operation.path[len(spec.base_path()) :]
    found: dict[str, Any] = resolved["paths"][path][operation.method.lower()]
    return found


def call(client: FlaskClient, operation: spec.Operation) -> TestResponse:
    """Call ``operation`` with the examples of the contract."""
    if operation.method == "GET":
        return client.get(operation.try_link)
    media = definition(operation)["requestBody"]["content"]["application/json"]
    return client.open(operation.path, method=operation.method, json=media["schema"]["example"])


def check(schema: dict[str, Any], value: object) -> None:
    """Raise jsonschema.ValidationError if ``value`` violates ``schema``."""
    Draft4ResponseValidator(schema).validate(value)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.operation_id)
def test_examples_are_answered_as_promised(client: FlaskClient, operation: spec.Operation) -> None:
    response = call(client, operation)
    content = definition(operation)["responses"]["200"]["content"]["application/json"]
    assert response.status_code == 200
    check(content["schema"], response.get_json())
    if "example" in content:
        assert response.get_json() == content["example"]


def test_an_answer_outside_the_contract_is_refused() -> None:
    schema = definition(OPERATIONS[0])["responses"]["200"]["content"]
    with pytest.raises(jsonschema.ValidationError):
        check(schema["application/json"]["schema"], {"message": "hi", "more": 1})


@pytest.mark.parametrize("name", spec.load()["components"]["schemas"])
def test_every_schema_is_exact_and_its_example_fits(name: str) -> None:
    schema = resolve_refs(copy.deepcopy(spec.load()))["components"]["schemas"][name]
    check(schema, schema["example"])
    for part in objects(schema):
        assert part["additionalProperties"] is False
        assert set(part["required"]) == set(part["properties"])


def objects(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return ``schema`` and the schemas inside it that describe objects."""
    inner = [*schema.get("properties", {}).values(), schema.get("items", {})]
    found = [part for child in inner if child for part in objects(child)]
    return [schema, *found] if schema.get("type") == "object" else found


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.operation_id)
def test_every_operation_documents_its_errors(operation: spec.Operation) -> None:
    responses = definition(operation)["responses"]
    for status, response in responses.items():
        if status != "200":
            assert list(response["content"]) == ["application/problem+json"]
    assert "default" in responses
    assert operation.summary
    for parameter in definition(operation).get("parameters", []):
        assert {"description", "schema", "example"} <= set(parameter)


def test_a_handler_that_breaks_the_contract_answers_500_and_leaks_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hello, "get", lambda: {"secret": "x"})
    response = server.create_app().test_client().get(f"{spec.base_path()}/hello")
    assert response.status_code == 500
    assert "secret" not in response.get_data(as_text=True)
    assert "violates master.yml" in caplog.text


def test_json_of_an_operation_with_html_is_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prediction = next(o for o in OPERATIONS if o.operation_id == "src.prediction.get")
    monkeypatch.setattr("src.prediction.predict", lambda _: {"class": "rose"})
    client = server.create_app().test_client()
    assert client.get(prediction.try_link).status_code == 500


def test_without_the_refinement_errors_quote_the_pattern(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = f"{spec.base_path()}/sum/x/1"
    clear = server.create_app().test_client().get(path)
    monkeypatch.delitem(validation.VALIDATORS, "parameter")
    plain = server.create_app().test_client().get(path)
    assert "Failed validating" not in json.loads(clear.get_data())["detail"]
    assert "Failed validating" in json.loads(plain.get_data())["detail"]


def test_no_file_but_ports_env_has_the_port_numbers(service: Path) -> None:
    ports = [
        line.split("=")[1]
        for line in (service / "ports.env").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    files = [
        service / "server.py",
        service / "master.yml",
        service / "gunicorn.conf.py",
    ]
    for file in [*files, *service.glob("src/*.py"), *service.glob("templates/*")]:
        assert not [port for port in ports if port in file.read_text()], file
