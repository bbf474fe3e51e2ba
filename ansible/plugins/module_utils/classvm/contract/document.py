"""Read a YAML or JSON document that a stranger wrote, within bounds.

A document of a few hundred bytes can stand for gigabytes (aliases of aliases), and a hundred
thousand brackets overflow the stack of PyYAML's C library. So its events are counted before
anything is built from them.
"""

from __future__ import annotations

import pathlib
from typing import Any, Dict, Iterator, List

from .libraries import SAFE_LOADER, yaml

# Any value JSON can hold, and an object of the document, as Python holds them.
Json = Any
Node = Dict[str, Any]

# The lab's own spec has 16 kB and 800 values; generated ones of real services, 300 kB.
MAX_BYTES = 1_000_000
MAX_VALUES = 10_000
MAX_DEPTH = 60
# What PyYAML raises for a value that does not fit its tag: a day such as 2024-02-30, `!!bool q`,
# `!!timestamp q`.
MISFITS = (ValueError, OverflowError, AttributeError, KeyError)
# Python 3.7 takes seconds to read a number of a million digits.
MAX_NUMBER_LENGTH = 1_000


class InputError(ValueError):
    """The document, the URL or a setting cannot be used; the text says what to do."""


def read_document(path: str) -> Json:
    """Return what the YAML or JSON file ``path`` holds.

    Raises:
        InputError: the file cannot be read, is not YAML, or is beyond the bounds.

    """
    return parse_document(read_content(path), path)


def read_content(path: str) -> bytes:
    """Return what a file holds, or one byte more than a document may have.

    Raises:
        InputError: the file cannot be read.

    """
    try:
        # One byte more than allowed is enough to see that there are too many.
        with pathlib.Path(path).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"cannot read the specification {path}: {error.strerror}; correct its path"
        raise InputError(message) from error


def parse_document(content: bytes, name: str) -> Json:
    """Return what a YAML or JSON document holds.

    Args:
        content: the document.
        name: its name, for messages.

    Raises:
        InputError: it is not YAML, or beyond the bounds.

    """
    if len(content) > MAX_BYTES:
        message = f"{name} has more than {MAX_BYTES:,} bytes, the most that a spec may have"
        raise InputError(message)
    try:
        text = content.decode("utf-8-sig")
        check_bounds(text, name)
        return yaml.load(text, SAFE_LOADER)
    except InputError:
        raise
    except (yaml.YAMLError, *MISFITS) as error:
        message = f"{name} is not valid YAML: {_in_a_line(error)}; correct the file"
        raise InputError(message) from error


def _in_a_line(error: Exception) -> str:
    """Return what PyYAML found and in which line, without its lines about the context."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if mark is None or not problem:
        return " ".join(str(error).split())
    return f"line {mark.line + 1}: {problem}"


def check_bounds(text: str, name: str) -> None:
    """Raise InputError when a document has too many values, too deep, or too long numbers.

    An alias counts as all the values that it stands for.
    """
    sizes: Dict[str, int] = {}  # values below each anchor
    open_: List[_Collection] = [_Collection("", 0)]
    count = 0
    for event in _events(text):
        anchor = getattr(event, "anchor", None) or ""
        if isinstance(event, yaml.AliasEvent):
            # An anchor that is unknown or still open: the loader refuses the first, the second has no end.
            if any(one.anchor == anchor for one in open_):
                raise InputError(
                    f"{_place(name, event)}: *{anchor} stands for a value inside itself"
                )
            count += sizes.get(anchor, 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            open_.append(_Collection(anchor, count))
            count += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            closed = open_.pop()
            sizes[closed.anchor] = count - closed.start
        elif isinstance(event, yaml.ScalarEvent):
            count += 1
            sizes[anchor] = 1
            _check_scalar(name, event)
        if len(open_) > MAX_DEPTH:
            raise InputError(f"{_place(name, event)}: nested more than {MAX_DEPTH} levels deep")
        if count > MAX_VALUES:
            raise InputError(
                f"{_place(name, event)}: more than {MAX_VALUES:,} values, the most that a spec may"
                " have (an alias counts as all that it stands for)"
            )


class _Collection:
    """A list or a mapping whose end has not come yet."""

    def __init__(self, anchor: str, start: int) -> None:
        self.anchor = anchor or "(none)"
        self.start = start


def _events(text: str) -> Iterator[Any]:
    loader = SAFE_LOADER(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()


def _check_scalar(name: str, event: Any) -> None:  # noqa: ANN401 - PyYAML's own class
    is_plain = event.implicit[0]
    if is_plain and len(event.value) > MAX_NUMBER_LENGTH and event.value[0] in "+-.0123456789":
        message = f"{_place(name, event)}: a number of {len(event.value):,} characters"
        raise InputError(message)


def _place(name: str, event: Any) -> str:  # noqa: ANN401 - PyYAML's own class
    return f"{name}, line {event.start_mark.line + 1}"
