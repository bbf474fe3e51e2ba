#!/usr/bin/env python3
"""Writes the table of all errors, docs/errors.md, from the places that raise them.

.venv/bin/python tools/errors.py            write
.venv/bin/python tools/errors.py --check    change nothing; fail if the table is not current
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = "ansible/plugins"
FOLDERS = ("action", "modules", "module_utils/classvm")
DOCUMENT = "docs/errors.md"
# The errors for a person; a failed command composes its cause from what it printed.
ERRORS = ("ClassvmError", "CommandError", "RefusedError", "WrongImageError")
# What stands before the cause in these: the program that failed, the code of a refusal.
CAUSE_IS_SECOND = ("CommandError", "RefusedError")
HEAD = """# Errors

What can stop a run, and what to do then. `tools/errors.py` writes this table from the places that
raise them; what is *italic* is filled in. The first line of an error closes the run: what is
wrong, in which file and line where it has a place, what to do. The rest stands above it. Errors
that only pass on what a program or another error has said are left out.

| What is wrong | Place | What to do | Raised in |
| --- | --- | --- | --- |
"""


@dataclass(frozen=True)
class Raised:
    """A place that raises an error.

    Attributes:
        file: below ansible/plugins.
        line: its number.
        cause: what is wrong, with <...> for what is filled in; "" where it is composed elsewhere.
        fix: what to do.
        has_place: whether it names a file.

    """

    file: str
    line: int
    cause: str
    fix: str
    has_place: bool


def raised(root: Path = ROOT) -> list[Raised]:
    """Return all places that raise an error, by file and line."""
    found = []
    for folder in FOLDERS:
        for path in sorted((root / PLUGINS / folder).rglob("*.py")):
            name = path.relative_to(root / PLUGINS).as_posix()
            found += [of_call(name, call) for call in calls(path.read_text(encoding="utf-8"))]
    return sorted(found, key=lambda one: (one.file, one.line))


def calls(text: str) -> Iterator[ast.Call]:
    """Yield the call in each `raise` of an error that is written for a person."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            name = ast.unparse(node.exc.func).rpartition(".")[2]
            if name in ERRORS:
                yield node.exc


def of_call(file: str, call: ast.Call) -> Raised:
    """Return what a call says."""
    name = ast.unparse(call.func)
    of_command = name.endswith("CommandError")
    texts = call.args[1:] if name.endswith(CAUSE_IS_SECOND) else call.args[:1]
    cause = spelled(texts[0]).partition("\n")[0] if texts else ""
    if of_command and cause:
        cause += ": <reason>"
    given = {one.arg: spelled(one.value) or blank(one.value) for one in call.keywords}
    fix = given.get("fix", "")
    if not fix:
        cause, _, fix = cause.partition(". ")
    if re.fullmatch(r"<[^<>]*>", cause):
        cause = ""
    return Raised(file, call.lineno, cause, fix, "place" in given)


def spelled(node: ast.expr) -> str:
    """Return a text as a person reads it, with <...> for what is filled in; "" if it is no text."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else blank(part)
            for part in node.values
        )
    return ""


def blank(part: ast.AST) -> str:
    """Return a name for what is filled in: the last one in its expression."""
    names = re.findall(r"[A-Za-z]{2,}\w*", ast.unparse(part).partition("!")[0])
    return f"<{(names[-1] if names else 'value').lower().replace('_', ' ')}>"


def table(errors: list[Raised]) -> str:
    """Return the document: each cause once, those that are composed elsewhere left out."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for one in errors:
        if one.cause:
            place = "yes" if one.has_place else ""
            rows.setdefault((one.cause, place, one.fix), []).append(one.file)
    return HEAD + "".join(
        f"| {' | '.join(map(cell, row))} | {cell(', '.join(dict.fromkeys(files)))} |\n"
        for row, files in rows.items()
    )


def cell(text: str) -> str:
    """Return a text for a cell, where a bar would begin the next one and < would begin a tag."""
    return re.sub(r"<(\w[\w ]*)>", r"*\1*", text).replace("|", r"\|").replace("<", "&lt;").strip()


def main() -> int:
    """Write or compare the document; return the exit status."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing, compare")
    check = parser.parse_args().check
    path, text = ROOT / DOCUMENT, table(raised())
    if not check:
        path.write_text(text, encoding="utf-8")
    elif not path.is_file() or path.read_text(encoding="utf-8") != text:
        print(f"{DOCUMENT} is not current. Run: .venv/bin/python tools/errors.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
