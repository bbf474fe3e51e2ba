"""Make up a text that a regular expression accepts, in simple cases."""

from __future__ import annotations

import importlib
import re
import sys
from typing import Any

from . import bounded

MOST_CHARACTERS = 200
LONGER = (0, 1, 2, 4, 8, 16, 32)
CATEGORIES = {"DIGIT": "1", "WORD": "a", "SPACE": " ", "NOT_DIGIT": "a", "NOT_SPACE": "a"}


class _UnknownError(Exception):
    """The expression holds what is not read here, such as a look-behind."""


def text_for(pattern: str, shortest: int = 0, longest: int = MOST_CHARACTERS) -> str | None:
    """Return a text of a length in bounds in which ``pattern`` is found; None when none is known."""
    try:
        tree = _parsed(pattern)
        texts = [_Writer(more).text(tree) for more in LONGER]
        for text in texts:
            if shortest <= len(text) <= longest and bounded.found(pattern, text):
                return text
    except (re.error, _UnknownError, RecursionError, OverflowError, bounded.TooLongError):
        return None
    return None


def _parsed(pattern: str) -> Any:  # noqa: ANN401 - Python's own tree
    name = "re._parser" if sys.version_info >= (3, 11) else "sre_parse"
    return importlib.import_module(name).parse(pattern)


class _Writer:
    """Writes the text for a parsed expression, each repetition ``more`` times than it must be."""

    def __init__(self, more: int) -> None:
        self.more = more

    def text(self, tree: Any) -> str:  # noqa: ANN401 - Python's own tree
        written = ""
        for operation, argument in tree:
            written += self._part(str(operation), argument)
            if len(written) > MOST_CHARACTERS:
                raise _UnknownError
        return written

    def _part(self, operation: str, argument: Any) -> str:  # noqa: ANN401 - Python's own tree
        if operation in ("MAX_REPEAT", "MIN_REPEAT"):
            least, most, repeated = argument
            if least > MOST_CHARACTERS:
                raise _UnknownError
            count: int = min(least + self.more, int(most))
            return self.text(repeated) * count
        if operation == "BRANCH":
            return self.text(argument[1][0])
        if operation == "SUBPATTERN":
            return self.text(argument[-1])
        return _character(operation, argument)


def _character(operation: str, argument: Any) -> str:  # noqa: ANN401 - Python's own tree
    """Return the character that one part of an expression stands for; "" for an anchor."""
    if operation == "IN":
        return _one_of(argument)
    known = {"LITERAL": argument, "NOT_LITERAL": ord("b" if argument == ord("a") else "a")}
    if operation in known:
        return chr(known[operation])
    if operation not in ("ANY", "AT"):
        raise _UnknownError
    return "a" if operation == "ANY" else ""


def _one_of(choices: Any) -> str:  # noqa: ANN401 - Python's own tree
    """Return one character of a class such as `[a-z]` or `[^/]`."""
    operation, argument = choices[0]
    kind = str(operation)
    if kind == "LITERAL":
        return chr(argument)
    if kind == "RANGE":
        return chr(argument[0])
    if kind == "CATEGORY":
        return _category(str(argument))
    for character in "a1A-_ .":  # NEGATE: what the rest of the class does not hold
        if not any(_holds(choice, character) for choice in choices[1:]):
            return character
    raise _UnknownError


def _category(name: str) -> str:
    short = name.replace("CATEGORY_", "")
    if short not in CATEGORIES:
        raise _UnknownError
    return CATEGORIES[short]


def _holds(choice: Any, character: str) -> bool:  # noqa: ANN401 - Python's own tree
    operation, argument = choice
    kind = str(operation)
    if kind == "LITERAL":
        return bool(argument == ord(character))
    if kind == "RANGE":
        return bool(argument[0] <= ord(character) <= argument[1])
    found = {"DIGIT": character.isdigit(), "WORD": character.isalnum() or character == "_"}
    return found.get(str(argument).replace("CATEGORY_", ""), character.isspace())
