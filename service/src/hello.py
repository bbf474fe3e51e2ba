"""Greet the caller."""

from __future__ import annotations

from typing import Dict


def get() -> Dict[str, str]:
    """Return the greeting: ``{"message": text}``."""
    return {"message": "Hello, world!"}
