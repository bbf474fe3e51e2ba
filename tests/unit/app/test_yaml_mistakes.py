"""What a person did wrong in YAML."""

from __future__ import annotations

import pytest
import yaml
from classvm.app import yaml_mistakes
from classvm.contract.libraries import SAFE_LOADER
from hypothesis import given, strategies


def told(text: str) -> str:
    try:
        yaml.load(text, SAFE_LOADER)  # noqa: S506 - it is a safe one
    except yaml.MarkedYAMLError as error:
        found = yaml_mistakes.explain(text, error)
        return f"{found.line + 1}:{found.column + 1} {found.what}. {found.fix}"
    return ""


@pytest.mark.parametrize(
    ("text", "place", "what", "fix"),
    [
        ("a\n  b: 1", "1:2", "a colon is missing after `a`", "Write `a:`"),
        ("a:\n\tb: 1", "2:1", "a tab", "Indent by blanks"),
        ("a:\n  b: 1\n c: 2", "3:2", "indented by 1, like none", "Indent it by 2, as line 2"),
        ("a:\n  - b: 1\n   c: 2", "3:4", "indented by 3", "Indent it by 2, as line 2"),
        ("p:\n  q:\n    g:\n      s: x\n     r:\n", "5:6", "indented by 5", "by 6, as line 4"),
        ("a:\n  d: it's: so", "2:10", "the text of `d` holds a colon", '`d: "it\'s: so"`'),
        ("a:\n  b:c\n  d: 1", "2:4", "a blank is missing after `b:`", "Write `b: c`"),
        ("a: b\n  c: d", "2:3", "`c` is indented below `a`", "Indent it as `a`"),
        ("a: 'it's here", "1:8", "ends before this, at its second '", "in double quotes"),
        ("a:\n- 'open\nb: 1\n", "2:3", "the quote that opens here is never closed", "Close it"),
        ("a: @b", "1:4", "a value cannot begin with `@`", "Put the value in quotes"),
        ("a: *b", "1:4", "a value that begins with `*`", "Put the value in quotes"),
        ('{\n "a": 1\n "b": 2}', "3:5", "a comma or `}` is missing", "Line 1 opens"),
        ("a: [1, 2\nb: 1", "2:2", "a comma or `]` is missing", "Line 1 opens"),
        ("a: - b", "1:4", "block sequence entries are not allowed", "Correct the line"),
    ],
)
def test_a_mistake(text: str, place: str, what: str, fix: str) -> None:
    said = told(text)
    assert said.startswith(f"{place} ")
    assert what in said
    assert fix in said


def test_what_is_right() -> None:
    assert told("a: {b: [1, 'it''s: so']}\nc: http://x\n") == ""


@given(strategies.text(alphabet="ab:-'\"{}[], \n\t#@*&|>", max_size=40))
def test_any_text_has_an_answer(text: str) -> None:
    told(text)
