"""The package ``classvm`` is layered: imports point downwards, and each module has its test."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import tree

PACKAGE = tree.ROOT / "ansible/plugins/module_utils/classvm"
UNIT = tree.ROOT / "tests/unit"
# What each sub-package may import, besides itself.
BELOW = {
    "base": set(),
    # Complete in itself: it is shipped to a Python that has nothing else of classvm.
    "contract": set(),
    "app": {"base", "contract"},
    "inventory": {"base", "app", "contract"},
    "image": {"base", "app", "contract"},
    "provision": {"base", "app", "contract", "image"},
    "release": {"base", "app", "contract", "image"},
    "output": {"base"},
    "doctor": {"base", "provision"},
    "program": {"base", "app", "contract", "image", "provision", "release"},
    "lab": {"base", "app", "contract", "image", "provision", "release"},
}
MODULES = sorted(path for path in PACKAGE.glob("*/*.py") if path.name != "__init__.py")


def imported_packages(text: str) -> set[str]:
    """Return the sub-packages that a module of a sub-package imports from beside its own."""
    return {
        (node.module or "").partition(".")[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and node.level > 1
    }


def test_the_packages_are_those_of_the_design() -> None:
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(BELOW)
    assert [path.name for path in PACKAGE.glob("*.py")] == ["__init__.py"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_imports_point_downwards(path: Path) -> None:
    assert imported_packages(path.read_text()) <= BELOW[path.parent.name]


def test_an_import_is_seen_wherever_it_stands() -> None:
    assert imported_packages("from ..base import state\nfrom .x import y\n") == {"base"}
    assert imported_packages("def f():\n    from ..release.swap import z\n") == {"release"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_each_module_has_its_test_file(path: Path) -> None:
    assert (UNIT / path.parent.name / f"test_{path.stem}.py").is_file()


def is_test_of(test: str, module: str) -> bool:
    """Tell whether a test file is a module's: test_MODULE.py or test_MODULE_ASPECT.py."""
    return f"{test}_".startswith(f"test_{module}_")


@pytest.mark.parametrize("name", BELOW)
def test_each_test_file_has_its_module(name: str) -> None:
    modules = [path.stem for path in MODULES if path.parent.name == name]
    for path in (UNIT / name).glob("test_*.py"):
        assert any(is_test_of(path.stem, module) for module in modules), path


def test_a_test_file_without_a_module_is_found() -> None:
    assert is_test_of("test_swap", "swap")
    assert is_test_of("test_go_live_history", "go_live")
    assert not is_test_of("test_swapping", "swap")
    assert not is_test_of("test_go", "go_live")
