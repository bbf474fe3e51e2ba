from __future__ import annotations

import pytest
from classvm.contract.places import Places

TEXT = """\
openapi: 3.0.3
paths:
  /a: &a
    get:
      responses:
        200: {description: yes}
        '404':
          description: no
  /b: *a
  /twice: {get: {}}
  /twice:
    get: {}
"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("openapi",), 1),
        (("paths", "/a"), 3),
        (("paths", "/a", "get", "responses", "200"), 6),
        (("paths", "/a", "get", "responses", "404"), 7),
        (("paths", "/b", "get", "responses", 200), 6),
        (("paths", "/twice", "get"), 12),
        (("paths", "/a", "put", "responses"), 3),
        (("paths", "/a", "get", "responses", "404", "description", "deeper"), 8),
    ],
)
def test_the_line_of_a_key_or_of_what_is_around_it(keys: tuple[object, ...], line: int) -> None:
    assert Places("a/b.yml", TEXT).of(*keys) == f"a/b.yml:{line}"


@pytest.mark.parametrize("text", [TEXT, "", "[1]", "{"])
def test_without_any_key_the_file_alone_is_named(text: str) -> None:
    assert Places("b.yml", text).of("nothing", "such") == "b.yml"


def test_json_has_places_too() -> None:
    assert Places("b.json", '{\n "paths": {\n  "/a": {}\n }\n}').of("paths", "/a") == "b.json:3"
