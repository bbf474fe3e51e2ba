from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.app import toml_file
from hypothesis import given, strategies

if TYPE_CHECKING:
    from collections.abc import Iterable

    from classvm.app.requirement_lines import Line

PIPFILE = """
[packages]
flask = "==2.2.5"
"zope.event" = "*"
connexion = {extras = ["swagger-ui"], version = "<3"}
own = {path = "./toolbox", editable = true}
other = {git = "https://git.example/a.git", ref = "main"}
wheel2 = {file = "https://git.example/a.whl"}
colorama = {version = "*", sys_platform = "== 'win32'"}
[packages.numpy]
version = ">=1.16"
markers = "python_version < '4'"

[dev-packages]
pytest = "*"
"""
POETRY = """
[tool.poetry.dependencies]
python = "^3.7"
flask = "^2.2.1"
a = "~1.4"
b = "^0.2.3"
c = "2.0"
d = "*"
e = ">=1,<2 || >3"
f = "~=1.4"
g = [{version = "1.0", markers = "python_version < '3.8'"}]
h = "^0.0"
"""


def lines(found: Iterable[Line]) -> list[tuple[int, str]]:
    return [(one.number, one.text) for one in found]


def test_a_pipfile() -> None:
    assert lines(toml_file.pipfile("Pipfile", PIPFILE)) == [
        (3, "flask==2.2.5"),
        (4, "zope.event"),
        (5, "connexion[swagger-ui]<3"),
        (6, "own @ file:./toolbox"),
        (7, "other @ git+https://git.example/a.git"),
        (8, "wheel2 @ https://git.example/a.whl"),
        (9, "colorama ; sys_platform == 'win32'"),
        (10, "numpy>=1.16 ; python_version < '4'"),
    ]


def test_poetry() -> None:
    assert [text for _, text in lines(toml_file.pyproject("pyproject.toml", POETRY))] == [
        "flask>=2.2.1,<3",
        "a>=1.4,<1.5",
        "b>=0.2.3,<0.3",
        "c==2.0",
        "d",
        "e",
        "f~=1.4",
        "g==1.0 ; python_version < '3.8'",
        "h>=0.0,<0.1",
    ]


def test_a_project() -> None:
    text = '[project]\ndependencies = [\n  "flask<3",\n  "a[x]>1",\n  3,\n]\n' + POETRY
    found = lines(toml_file.pyproject("pyproject.toml", text))
    assert found == [(3, "flask<3"), (4, "a[x]>1")]


@pytest.mark.parametrize("text", ["[packages", "packages = 3", "[project]\ndependencies = 3", ""])
def test_what_lists_nothing(text: str) -> None:
    assert lines(toml_file.pipfile("Pipfile", text)) == []
    assert lines(toml_file.pyproject("pyproject.toml", text)) == []


VALUES = strategies.text(max_size=9) | strategies.integers() | strategies.booleans()


@given(
    values=strategies.dictionaries(
        strategies.sampled_from(["a", "git", "path", "version"]), VALUES, min_size=1
    )
)
def test_any_value_is_a_line(values: dict[str, object]) -> None:
    inline = ", ".join(
        f"{key} = {value!r}".replace("T", "t").replace("F", "f") for key, value in values.items()
    )
    list(toml_file.pipfile("Pipfile", f"[packages]\nflask = {{{inline}}}\n"))


@given(text=strategies.text())
def test_any_text_is_read(text: str) -> None:
    list(toml_file.pipfile("Pipfile", text))
    list(toml_file.pyproject("pyproject.toml", f"[tool.poetry.dependencies]\na = '''{text}'''"))
