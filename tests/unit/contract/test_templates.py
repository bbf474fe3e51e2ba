from __future__ import annotations

import pytest
from classvm.contract import templates


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("title: {{title}}", "title: title"),
        ('title: "{{ title }}"', 'title: "title"'),
        ("url: http://{{host}}:{{ port|int }}/v1", "url: http://host:port/v1"),
        ("{% if x %}\na: 1\n{% endif %}", "\na: 1\n"),
        ("a: {b: {c: {d: 1}}}", "a: {b: {c: {d: 1}}}"),
        ("path: /a/{id}", "path: /a/{id}"),
    ],
)
def test_each_placeholder_gets_its_own_name(text: str, filled: str) -> None:
    assert templates.fill_in(text) == filled


def test_lines_stay_where_they_are() -> None:
    filled = templates.fill_in("a: {{ b }}\n\nc: {{\n d }}\n")
    assert filled == "a: b\n\nc: {{\n d }}\n"
