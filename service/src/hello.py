"""Greet the caller."""

from __future__ import annotations


def get() -> dict[str, str]:
    """Return the greeting: ``{"message": text}``."""
    return {"message": "Hello, world!"}
