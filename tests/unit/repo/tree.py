"""The files of this repository, and what in them is code rather than prose."""

from __future__ import annotations

import ast
import functools
import io
import re
import subprocess
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
# Ansible's names for the parts of a module that are documentation.
DOCUMENTATION = {"DOCUMENTATION", "EXAMPLES", "RETURN"}


def files(root: Path = ROOT) -> list[str]:
    """Return the files that git has, or would take with the next `git add`, by relative path."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return sorted(name for name in listed.split("\0") if name and (root / name).is_file())


def read(path: Path) -> str:
    """Return the text of a file; "" for one that is no text."""
    content = path.read_bytes()
    return "" if b"\0" in content else content.decode("utf-8", errors="replace")


def read_yaml(path: Path) -> Any:
    """Return what a YAML file holds."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@functools.cache
def code(path: Path) -> str:
    """Return the text of a file without its prose; the numbers of the lines stay."""
    text = read(path)
    if path.suffix == ".md":
        return ""
    if path.suffix == ".py":
        return _python_code(text)
    return re.sub(r"(^|(?<=\s))#.*$", "", text, flags=re.MULTILINE)


def _python_code(text: str) -> str:
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if _is_prose(node):
            assert isinstance(node, ast.stmt)
            for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                lines[number - 1] = ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return "\n".join(lines)


def _is_prose(node: ast.AST) -> bool:
    """Tell docstrings and Ansible's documentation from what runs."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id in DOCUMENTATION for target in node.targets
    )


def hits(pattern: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each line that holds a pattern."""
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(pattern, line):
            yield number, line.strip()
