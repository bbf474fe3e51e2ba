"""The documentation of the modules is what `ansible-doc` can show, complete and unmangled.

`ansible-test sanity --test validate-modules` looks for the same, and more, but needs the network.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import tree
import yaml

MODULES = sorted((tree.ROOT / "ansible/plugins/modules").glob("*.py"))
PARTS = {"module", "short_description", "description", "options", "author"}
OPTION = {"type", "elements", "choices", "default", "required", "description", "suboptions"}
RESULT = {"type", "elements", "returned", "description", "sample", "contains"}


def documentation(text: str) -> dict[str, Any]:
    """Return the parts of a module's documentation by the names of their variables."""
    return {
        node.targets[0].id: yaml.safe_load(ast.literal_eval(node.value))
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in tree.DOCUMENTATION
    }


def foreign_keys(entries: dict[str, Any], known: set[str]) -> list[str]:
    """Return keys that Ansible does not know; a description without quotes ends at a comma."""
    return [f"{name}: {key}" for name, entry in entries.items() for key in entry.keys() - known]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_the_documentation_is_complete(path: Path) -> None:
    found = documentation(path.read_text())
    assert found.keys() == tree.DOCUMENTATION
    assert found["DOCUMENTATION"].keys() >= PARTS
    assert found["DOCUMENTATION"]["module"] == path.stem
    assert foreign_keys(found["DOCUMENTATION"]["options"], OPTION) == []
    assert foreign_keys(found["RETURN"], RESULT) == []


def test_a_comma_without_quotes_is_seen() -> None:
    options = yaml.safe_load("a: {type: str, description: One, two.}\n")
    assert foreign_keys(options, OPTION) == ["a: two."]
