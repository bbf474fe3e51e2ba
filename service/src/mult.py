"""Multiply two numbers."""

from __future__ import annotations

from src import decimals


def get(a: str, b: str) -> int | float:
    """Return ``a * b``.

    ``a`` and ``b`` are decimal numbers as text; connexion has checked them
    against their pattern in ``master.yml``. Text keeps every digit as typed.
    """
    return decimals.multiply(a, b)
