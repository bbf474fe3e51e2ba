"""Exact arithmetic with decimal numbers.

Binary floating point cannot hold 0.1, so 0.1 + 0.2 would answer
0.30000000000000004. Decimal arithmetic calculates as people do on paper.
"""

from __future__ import annotations

from decimal import Context, Decimal

# The contract admits 15 digits before and 15 after the point: a product has
# at most twice as many, 60. Room for all of them means nothing is rounded.
EXACT = Context(prec=60)


def add(a: str, b: str) -> int | float:
    """Return ``a + b``, calculated exactly; see ``to_json_number``."""
    return to_json_number(EXACT.add(Decimal(a), Decimal(b)))


def multiply(a: str, b: str) -> int | float:
    """Return ``a * b``, calculated exactly; see ``to_json_number``."""
    return to_json_number(EXACT.multiply(Decimal(a), Decimal(b)))


def to_json_number(number: Decimal) -> int | float:
    """Return ``number`` as an int if it is whole, or else the nearest float."""
    if number == number.to_integral_value(context=EXACT):
        return int(number)
    return float(number)
