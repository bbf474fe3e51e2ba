from __future__ import annotations

import pytest
from classvm.base.legible import printable

NOT = "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\tb\nü 雪", "a\tb\nü 雪"),
        ("\x1b[2J", f"{NOT}[2J"),
        ("a\rb\x07\x9b", f"a{NOT}b{NOT}{NOT}"),
        ("\u202eb", f"{NOT}b"),
    ],
)
def test_what_moves_a_terminal_is_seen(text: str, seen: str) -> None:
    assert printable(text) == seen
