"""What the table of tests/apps does not show."""

from __future__ import annotations

import pytest
from classvm.app import spec_checks
from classvm.app.located import load

HEAD = 'openapi: 3.0.0\ninfo: {title: a, version: "1"}\n'


def codes(text: str) -> list[str]:
    return [one.code for one in spec_checks.check(load("a.yml", text))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("openapi: 3.0.3", "3"),
        ("openapi: 3.1.0", "3"),
        ("swagger: '2.0'", "2"),
        ("swagger: 2.0", "2"),
        ("a: 1", ""),
        ("[1]", ""),
        ("", ""),
    ],
)
def test_the_version(text: str, found: str) -> None:
    assert spec_checks.version(load("a.yml", text)) == found


def test_several_numbers_in_one_path() -> None:
    number = "in: path, required: true, schema: {type: number}"
    operation = "responses: {'200': {description: a}}"
    parameters = f"[{{name: b, {number}}}, {{name: c, {number}}}]"
    text = f"{HEAD}paths:\n  '/{{b}}/{{c}}': {{get: {{parameters: {parameters}, {operation}}}}}\n"
    assert codes(text) == ["CV018"]


@pytest.mark.parametrize(
    ("required", "found"),
    [("required: true,", []), ("required: false,", ["CV006"]), ("", ["CV008"])],
)
def test_a_parameter_of_the_path_is_required(required: str, found: list[str]) -> None:
    operation = "responses: {'200': {description: a}}"
    parameter = f"{{name: b, in: path, {required} schema: {{type: string}}}}"
    text = f"{HEAD}paths:\n  '/{{b}}': {{get: {{parameters: [{parameter}], {operation}}}}}\n"
    assert codes(text) == found


@pytest.mark.parametrize(("word", "type_"), [("float", "number"), ("str", "string"), ("x", "")])
def test_a_type_as_python_calls_it(word: str, type_: str) -> None:
    text = f"{HEAD}paths: {{}}\ncomponents: {{schemas: {{A: {{type: {word}}}}}}}\n"
    (one,) = spec_checks.check(load("a.yml", text))
    assert one.fix == (f"Did you mean `{type_}`?" if type_ else one.fix)
    assert ("Did you mean" in one.fix) == bool(type_)


def test_another_file_is_no_part_of_a_spec() -> None:
    text = f"{HEAD}paths: {{/a: {{$ref: 'a/b.yml#/c'}}, /b: {{$ref: 'http://h/b.yml'}}}}\n"
    here, there = spec_checks.check(load("a.yml", text))
    assert "connexion 2 reads only this one" in here.what
    assert "is never fetched" in there.what


@pytest.mark.parametrize("value", ["", "1", "[a]", "text"])
def test_a_reference_to_what_is_no_object(value: str) -> None:
    schemas = "{A: {allOf: [{$ref: '#/x-a'}]}, B: {$ref: '#/x-a'}}"
    text = f"{HEAD}paths: {{}}\nx-a: {value}\ncomponents: {{schemas: {schemas}}}\n"
    assert codes(text) == ["CV010", "CV010"]


def test_a_schema_that_contains_itself() -> None:
    itself = "components: {schemas: {A: {allOf: [{$ref: '#/components/schemas/A'}]}}}\n"
    assert codes(f"{HEAD}paths: {{}}\n{itself}") == ["CV002"]


def test_own_keys_are_allowed() -> None:
    assert codes(f"{HEAD}x-mine: 1\npaths: {{x-a: 1}}\n") == []


def test_a_swagger_form_may_have_files() -> None:
    file = "{name: f, in: formData, type: file}"
    operation = f"{{parameters: [{file}], responses: {{200: {{description: a}}}}}}"
    text = (
        f'swagger: "2.0"\ninfo: {{title: a, version: "1"}}\npaths: {{/a: {{post: {operation}}}}}\n'
    )
    assert codes(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "CV008 a.yml"),
        ("[1]", "CV008 a.yml"),
        ("info: {}\n", "CV008 a.yml"),
        ("paths: {}\nopenapi: 3.1.0\n", "CV006 a.yml:2:10"),
        ("openapi: 3.0\n", "CV006 a.yml:1:10"),
        ("openapi: '3.0'\n", "CV006 a.yml:1:10"),
        ("openapi: [3]\n", "CV006 a.yml:1:10"),
        ("swagger: 2.0\n", "CV006 a.yml:1:10"),
        ("openapi: 3.0.0\n", ""),
        ("openapi: '3.0.3'\n", ""),
        ("swagger: '2.0'\n", ""),
        ("a: [\n", ""),  # reported when it was read
    ],
)
def test_connexion_refuses_a_spec_of_another_version(text: str, found: str) -> None:
    findings = spec_checks.check_version(load("a.yml", text))
    assert " ".join(f"{one.code} {one.place}" for one in findings) == found


@pytest.mark.parametrize("reference", ["#", "#Sum"])
def test_a_reference_that_names_no_part(reference: str) -> None:
    schemas = f"components: {{schemas: {{A: {{properties: {{b: {{$ref: '{reference}'}}}}}}}}}}\n"
    assert codes(f"{HEAD}paths: {{}}\n{schemas}") == ["CV010"]
