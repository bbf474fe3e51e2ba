r"""Make Python match the patterns of a spec as OpenAPI means them.

OpenAPI patterns are regular expressions of JavaScript (ECMA-262). Two things differ in
Python: ``$`` also matches before a line end at the very end, so "2" and a line end would
pass for a number; and ``\d``, ``\w`` and ``\s`` include the characters of all alphabets.
"""

from __future__ import annotations

import re
from typing import Any

# An escaped character, a whole set of characters, or the end of the text.
TOKENS = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\$", re.DOTALL)


def to_python(pattern: str) -> str:
    """Return the Python pattern that matches what ``pattern`` matches in JavaScript."""
    strict = TOKENS.sub(lambda found: r"\Z" if found[0] == "$" else found[0], pattern)
    return f"(?a){strict}"


def translate(node: Any) -> Any:  # noqa: ANN401 - any part of a spec
    """Return a copy of a part of a spec with every pattern of its schemas translated."""
    if isinstance(node, list):
        return [translate(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: to_python(value) if key == "pattern" and isinstance(value, str) else translate(value)
        for key, value in node.items()
    }
