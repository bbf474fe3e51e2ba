"""Read the requirements of a local package from its setup.py or setup.cfg; nothing is run."""

from __future__ import annotations

import ast
import configparser
from typing import Dict, Iterator

from .requirement_lines import Line, split


def script(file: str, tree: ast.Module) -> Iterator[Line]:
    """Yield the packages of `install_requires` of a setup.py, as far as they are written out."""
    lists = _lists(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        for word in node.keywords:
            if word.arg == "install_requires":
                yield from _texts(file, lists.get(getattr(word.value, "id", ""), word.value))


def configuration(file: str, text: str) -> Iterator[Line]:
    """Yield the packages of `install_requires` of a setup.cfg."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
        listed = parser.get("options", "install_requires", fallback="")
    except configparser.Error:
        return
    for line in split(file, listed):
        yield line._replace(number=0)


def _lists(tree: ast.Module) -> Dict[str, ast.expr]:
    """Return the lists that the file gives a name."""
    return {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, (ast.List, ast.Tuple))
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _texts(file: str, node: ast.expr) -> Iterator[Line]:
    for one in getattr(node, "elts", ()):
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value.strip():
            yield Line(file, one.lineno, one.value.strip())
