#!/usr/bin/env python3
"""Writes the table of variables into the README of each role, from its argument_specs.yml.

    .venv/bin/python tools/role_readmes.py            write
    .venv/bin/python tools/role_readmes.py --check    change nothing; fail if a table is not current

Only what stands between the two markers is generated; the rest is written by hand.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
BEGIN = "<!-- variables: written by tools/role_readmes.py from meta/argument_specs.yml -->"
END = "<!-- end of variables -->"
REPAIR = ".venv/bin/python tools/role_readmes.py"
HEAD = ("Name", "Type", "Default", "Description")


class NoMarkersError(Exception):
    """A README has no place for its table."""


def roles(root: Path = ROOT) -> list[Path]:
    """Return the folder of each role, by name."""
    return sorted(path.parent.parent for path in root.glob("roles/*/meta/argument_specs.yml"))


def options_of(role: Path) -> dict[str, dict[str, Any]]:
    """Return the variables of a role as its argument_specs.yml has them, by name."""
    specs = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    return dict(specs["argument_specs"]["main"].get("options") or {})


def table(options: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the variables as a Markdown table with one row each, in the order of the file."""
    rows = [HEAD, tuple("---" for _ in HEAD), *(row(name, options[name]) for name in options)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def row(name: str, option: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Return the cells of one variable."""
    kind = str(option["type"])
    if "elements" in option:
        kind += f" of {option['elements']}"
    default = "**required**" if option.get("required") else code(option["default"])
    # A description may have several lines or paragraphs; a cell has one line.
    described = " ".join(str(option["description"]).split())
    if "choices" in option:
        described += f" Choices: {', '.join(code(choice) for choice in option['choices'])}."
    return f"`{name}`", kind, escaped(default), escaped(described)


def escaped(text: str) -> str:
    """Return a text for a cell, where a vertical bar would begin the next one."""
    return text.replace("|", r"\|")


def code(value: object) -> str:
    """Return a value as it could stand in a YAML file, in the type of code."""
    return f"`{value if isinstance(value, str) and value else json.dumps(value)}`"


def renewed(readme: str, options: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text of a README with the present table between its markers.

    Raises:
        NoMarkersError: a marker is missing, is there twice, or the order is wrong.

    """
    before, begin, rest = readme.partition(f"{BEGIN}\n")
    _, end, after = rest.partition(END)
    if not (begin and end) or BEGIN in rest or END in before + after:
        raise NoMarkersError(f"it needs these two lines, once each:\n{BEGIN}\n{END}")
    return f"{before}{BEGIN}\n\n{table(options)}\n{END}{after}"


def stale(root: Path = ROOT) -> Iterator[tuple[Path, str, str]]:
    """Yield each README that is not current: its path, the text it has, the text it needs."""
    for role in roles(root):
        path = role / "README.md"
        present = path.read_text(encoding="utf-8") if path.is_file() else ""
        try:
            desired = renewed(present, options_of(role))
        except NoMarkersError as error:
            raise NoMarkersError(f"{path.relative_to(root)}: {error}") from error
        if desired != present:
            yield path, present, desired


def difference(path: str, present: str, desired: str) -> str:
    """Return what would change in a file, as `diff -u` shows it."""
    lines = (present.splitlines(keepends=True), desired.splitlines(keepends=True))
    return "".join(difflib.unified_diff(*lines, path, f"{path} (from argument_specs.yml)"))


def main(words: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write or check, and return the exit code."""
    parser = argparse.ArgumentParser(description="Tables of variables in the READMEs of the roles")
    parser.add_argument("--check", action="store_true", help="change nothing, fail if not current")
    check = parser.parse_args(words).check
    try:
        found = list(stale(root))
    except NoMarkersError as error:
        print(error, file=sys.stderr)
        return 1
    for path, present, desired in found:
        name = str(path.relative_to(root))
        if check:
            print(difference(name, present, desired), end="")
        else:
            path.write_text(desired, encoding="utf-8")
            print(f"wrote {name}")
    if check and found:
        print(f"{len(found)} README(s) are not current. Repair: {REPAIR}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
