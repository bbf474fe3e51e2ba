"""Say in plain words why an inventory in INI format cannot be read: Ansible's parser tells what it expected."""

from __future__ import annotations

import re
from typing import Callable, Match, NamedTuple, Optional, Tuple


class Explained(NamedTuple):
    """What is wrong, what to write, and the text in the line that is meant."""

    cause: str
    fix: str
    culprit: str = ""


HOST_LINE = (
    "A host has a line of its own, and its settings behind it: `vm-148-1 ansible_host=192.0.2.1`."
)
SECTION = "Write `[section_a]`, `[section_a:vars]` or `[section_a:children]`."
HEADING = re.compile(r"\[[\w:-]+\]")
YAML_IN_INI = ("This is YAML, in a file for INI", "Give the file a name that ends with .yml.")
# What Ansible says, and how we say it.
KINDS: Tuple[Tuple[str, Callable[[Match[str]], Explained]], ...] = (
    (
        r"Expected key=value host variable assignment, got: (.*)",
        lambda found: Explained(f"`{found[1]}` is no setting of a host", HOST_LINE),
    ),
    (
        r"Expected key=value, got: (.*)",
        lambda found: Explained(f"`{found[1]}` is no setting", "Write it as name=value."),
    ),
    (
        r"Invalid section entry: '(.*?)'\.",
        lambda found: Explained(f"`{found[1]}` is no heading of a group", SECTION),
    ),
    (
        r"Section \[(.*?)\] has unknown type",
        lambda found: Explained(f"`[{found[1]}]` is no heading of a group", SECTION),
    ),
    (
        r"undefined group '(.*?)'",
        lambda found: Explained(
            f"There is no group {found[1]}", f"Add a section `[{found[1]}]`, or correct the name."
        ),
    ),
    (
        r"host definition '(.*)': No closing quotation",
        lambda _: Explained("A quote that opens here is never closed", "Close it."),
    ),
    (
        r"pattern '(.*?)' supplied, ending in ':'",
        lambda _: Explained(*YAML_IN_INI),
    ),
    (
        r"pattern '(.*?)' supplied, .* a sign this is a YAML file",
        lambda _: Explained(*YAML_IN_INI),
    ),
)


def explain(message: str) -> Explained:
    """Return what is wrong by what Ansible says of it."""
    for pattern, told in KINDS:
        found = re.search(pattern, message)
        if found:
            return told(found)._replace(culprit=found[1])
    return Explained(message.strip().partition("\n")[0].rstrip("."), "Correct the line.")


def is_ini(text: str) -> bool:
    """Tell whether a text begins with the heading of a group, as no YAML does."""
    said = [
        line.strip() for line in text.splitlines() if line.strip() and line.strip()[0] not in "#;"
    ]
    return bool(said) and HEADING.fullmatch(said[0]) is not None


def line_of(text: str, culprit: str) -> int:
    """Return the line, from 1, that a message means: Ansible does not tell it; 0 where none is like it."""
    lines = text.splitlines() if culprit else []
    return next((number for number, line in enumerate(lines, 1) if culprit in line), 0)


def open_heading(text: str) -> Optional[int]:
    """Return the line, from 1, of a heading without its end, which Ansible takes for a host."""
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.partition("#")[0].strip()
        if bare.startswith("[") and "]" not in bare:
            return number
    return None
