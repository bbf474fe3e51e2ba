"""Text of others, such as an app's, without what would make a terminal do something."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return a text of any number of lines in which each character can be seen."""
    return "".join(
        one if one.isprintable() or one in "\n\t" else "\N{REPLACEMENT CHARACTER}" for one in text
    )
