"""Sums and products are exact."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from src import decimals, spec

if TYPE_CHECKING:
    from flask.testing import FlaskClient

NUMBERS = st.from_regex(
    spec.load()["components"]["schemas"]["DecimalNumber"]["pattern"].replace("$", r"\Z")
)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("sum/1/4", "5"),
        ("sum/-1/0.5", "-0.5"),
        ("sum/0.1/0.2", "0.3"),
        ("sum/+1/-1", "0"),
        ("sum/0.5/0.5", "1"),
        ("mult/3/-4", "-12"),
        ("mult/-0/5", "0"),
        ("mult/1.1/1.1", "1.21"),
        ("mult/999999999999999/999999999999999", "999999999999998000000000000001"),
    ],
)
def test_the_text_of_the_answer(client: FlaskClient, path: str, text: str) -> None:
    response = client.get(f"{spec.base_path()}/{path}")
    assert response.get_data(as_text=True).strip() == text


def test_binary_floating_point_would_be_wrong() -> None:
    assert decimals.add("0.1", "0.2") != 0.1 + 0.2


@given(a=NUMBERS, b=NUMBERS)
def test_results_agree_with_exact_fractions(a: str, b: str) -> None:
    total, product = Fraction(a) + Fraction(b), Fraction(a) * Fraction(b)
    assert decimals.add(a, b) == nearest(total)
    assert decimals.multiply(a, b) == nearest(product)


def nearest(exact: Fraction) -> int | float:
    """Return ``exact`` if it is whole, or else the nearest float."""
    return int(exact) if exact.denominator == 1 else float(exact)
