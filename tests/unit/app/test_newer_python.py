"""What Python 3.7 does not have."""

from __future__ import annotations

import ast

import pytest
from classvm.app import newer_python

LATE = "from __future__ import annotations\n"


def found(source: str) -> list[str]:
    tree = ast.parse(source)
    return [f"{one.line} {one.what}" for one in newer_python.check("a.py", tree, source)]


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("(n := 1)", "1 `:=` is Python 3.8"),
        ("def f(a, /): pass", "1 `/` among the parameters is Python 3.8"),
        ('x = 1\nprint(f"{x=}")', "2 `{…=}` in an f-string is Python 3.8"),
        ('f"a {x.y!r} {x.y = :>9}"', "1 `{…=}`"),
        ("def f(a: list[int]): pass", "1 `list[…]` is Python 3.9: here it is `typing.List`"),
        ("def f() -> dict[str, int]: pass", "1 `dict[…]`"),
        ("Row = tuple[int, str]", "1 `tuple[…]`"),
        ("class A:\n    a: set[int] = set()", "2 `set[…]`"),
        ("def f(a: int | None): pass", "1 `|` between types is Python 3.10"),
        ("x = {'a': 1} | b", "1 `|` between dictionaries is Python 3.9"),
        ("x |= {'a': 1}", "1 `|` between dictionaries"),
        ("'a'.removeprefix('a')", "1 `.removeprefix()` is Python 3.9"),
        ("from functools import cache", "1 `functools.cache` is Python 3.9"),
        ("import math as m\nm.prod([])", "2 `math.prod` is Python 3.8"),
        ("from typing import Literal, List", "1 `typing.Literal` is Python 3.8"),
        ("import importlib.metadata", "1 `importlib.metadata` is Python 3.8"),
        ("import zoneinfo", "1 `zoneinfo` is Python 3.9"),
        ("with (open('a') as a, open('b') as b): pass", "1 parenthesized context managers"),
    ],
)
def test_what_needs_a_newer_python(source: str, what: str) -> None:
    (told,) = found(source)
    assert told.startswith(what)


def test_a_match() -> None:
    assert found("match a:\n    case 1: pass") == ["1 `match` is Python 3.10"]


@pytest.mark.parametrize(
    "source",
    [
        'f"x={x!r} {a==b} {a!=b} {{x=}}"',
        f"{LATE}def f(a: list[int] | None) -> dict[str, int]: pass",
        "def f():\n    a: list[int] = []",
        "list = [1]\nprint(list[0])",
        "def f(type): return type['a']",
        "x = a | b\nx |= {1}",
        "try:\n    from functools import cache\nexcept ImportError:\n    cache = None",
        "from functools import lru_cache",
        "import sys\nif sys.version_info > (3, 8):\n    import zoneinfo",
        "other.prod([])",
        "from typing import List\ndef f(a: List[int]): pass",
    ],
)
def test_what_3_7_has(source: str) -> None:
    assert found(source) == []
