from __future__ import annotations

import re
from pathlib import Path

import pytest
from classvm.app.codes import ERROR, NOTE, RULES, WARNING

LESSONS = Path(__file__).parents[3] / "docs/findings.md"
HEADINGS = dict(re.findall(r"^## (CV\d{3}): (.+)$", LESSONS.read_text(), re.MULTILINE))


def test_each_code_has_its_lesson_and_each_lesson_its_code() -> None:
    assert {code: rule.title for code, rule in RULES.items()} == HEADINGS


@pytest.mark.parametrize("code", RULES)
def test_a_rule_says_how_serious_it_is_and_why(code: str) -> None:
    assert RULES[code].severity in (ERROR, WARNING, NOTE)
    assert RULES[code].why.endswith(".")
    assert not RULES[code].title.endswith(".")
