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
    assert str(error) == "false failed: the cause\n`false` ended with exit code 1:\nthe cause"


def test_the_closing_line_is_cause_place_and_fix() -> None:
    error = ClassvmError("It broke.", place="a.yml:7", fix="Mend it.", details="1\n2\n")
    assert error.line == "It broke (a.yml:7). Mend it."
    assert str(error) == f"{error.line}\n1\n2"
    assert str(ClassvmError("It broke.", fix="Mend it.")) == "It broke. Mend it."


def test_a_plain_text_is_cause_and_details() -> None:
    error = ClassvmError("\nIt broke.\nline 2")
    assert (error.cause, error.details) == ("It broke.", "line 2")
    assert str(error) == "It broke.\nline 2"


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
