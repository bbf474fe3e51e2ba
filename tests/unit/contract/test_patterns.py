from __future__ import annotations

import re
import time

import pytest
from classvm.contract import patterns


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[A-Za-z]{1,12}$",
        r"^\d{3}-\d{4}$",
        r"^(red|green)$",
        r"^[^/]+$",
        r"^[^a1A]$",
        r"^\w+@\w+\.org$",
        r"^[A-Z]{2,}\d*$",
        r"^a?b+c*$",
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}",
        r"^\S+\s\D$",
        r"^.{5}$",
        r"^[^\d\s]x$",
        r"^(?:a|b)+?$",
        "",
    ],
)
def test_the_text_fits_its_pattern(pattern: str) -> None:
    text = patterns.text_for(pattern)
    assert text is not None
    assert re.search(pattern, text)


@pytest.mark.parametrize(("shortest", "longest"), [(0, 1), (3, 5), (10, 200), (30, 60)])
def test_the_text_has_a_length_in_bounds(shortest: int, longest: int) -> None:
    text = patterns.text_for("^[a-z]+$", shortest, longest)
    assert text is not None
    assert shortest <= len(text) <= longest


@pytest.mark.parametrize("pattern", ["(", r"(a)\1", "^a{1000000}$", "(?<=x)a", "^a$", r"[^\W\w]"])
def test_what_is_not_understood_gives_no_text(pattern: str) -> None:
    started = time.process_time()
    assert patterns.text_for(pattern, shortest=2) is None
    assert time.process_time() - started < 1
