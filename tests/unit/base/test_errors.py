"""The error that ends a task."""

from __future__ import annotations

import ast
from pathlib import Path

import classvm
from classvm.base.command import CommandError, Finished
from classvm.base.errors import ClassvmError

PACKAGE = Path(str(classvm.__file__)).parent


def test_a_failed_command_is_such_an_error() -> None:
    error = CommandError(Finished(["false"], 1, "", "the cause"))
    assert isinstance(error, ClassvmError)
    assert str(error) == "`false` failed (1):\nthe cause"


def bare(text: str) -> list[int]:
    """Return the lines on which the error is raised without a message."""
    raised = [node.exc for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Raise)]
    return [
        one.lineno
        for one in raised
        if (isinstance(one, ast.Name) and one.id == "ClassvmError")
        or (
            isinstance(one, ast.Call)
            and isinstance(one.func, ast.Name)
            and one.func.id == "ClassvmError"
            and not one.args
        )
    ]


def test_it_always_has_a_message() -> None:
    found = {path: bare(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")}
    assert found
    assert not any(found.values())


def test_one_without_a_message_is_found() -> None:
    assert bare("raise ClassvmError\nraise ClassvmError()\nraise ClassvmError('x')\n") == [1, 2]
