"""Specs that are templates: connexion fills in what stands between `{{` and `}}`.

The values are known to the app's code only. None of them changes what an operation promises, so
each gets a word in its place.
"""

from __future__ import annotations

import re

EXPRESSION = re.compile(r"{{-?[ \t]*([A-Za-z_]\w*)[^{}\n]*}}")
STATEMENT = re.compile(r"{%[^{}\n]*%}")


def fill_in(text: str) -> str:
    """Return a spec with each placeholder replaced by its name; lines stay where they are."""
    if "{{" not in text and "{%" not in text:
        return text
    return STATEMENT.sub("", EXPRESSION.sub(r"\1", text))
