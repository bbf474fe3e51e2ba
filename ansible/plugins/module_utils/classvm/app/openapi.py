"""Read an app's spec and make sure that its handlers are there, without running the app."""

from __future__ import annotations

import ast
import hashlib
import os
from pathlib import Path
from typing import Any, Collection, Dict, Iterator, List

from ..base.errors import ClassvmError
from ..contract.document import InputError, read_document
from ..contract.references import check_references
from ..contract.schemas import check_evaluation
from ..contract.spec import METHODS
from .layout import SPEC

# A validator may quote half the spec.
REASON_LENGTH = 200


def check_contract(folder: Path, valid: Collection[str] = ()) -> None:
    """Refuse a spec that is not valid, or names handlers that are not there.

    Args:
        folder: the app's folder.
        valid: digests of specs that were found valid before; validation takes a second.

    Raises:
        ClassvmError: the spec is not valid OpenAPI, or an operation has no handler.

    """
    file = folder / SPEC
    spec = read_spec(file)
    if contract_digest(folder) not in valid:
        validate(file, spec)
    check_handlers(folder, spec)


def contract_digest(folder: Path) -> str:
    """Return the sha256 (hex) of an app's spec."""
    return hashlib.sha256((folder / SPEC).read_bytes()).hexdigest()


def read_spec(path: Path) -> Any:  # noqa: ANN401 - YAML holds anything
    """Return what a spec holds, once it is sure that all of it is in this file and has an end.

    A validator follows references to other hosts and files, so none may see a spec before.

    Raises:
        ClassvmError: the file is not YAML, or refers to something outside itself.

    """
    try:
        document = read_document(str(path))
        check_references(document, document)
        check_evaluation(document)
    except InputError as error:
        reason = str(error)
        raise ClassvmError(reason if str(path) in reason else f"{path}: {reason}") from error
    return document


def load_spec(path: Path) -> Dict[str, Any]:
    """Read a spec, validate it and return it as a dictionary.

    Raises:
        ClassvmError: the file is not YAML, or not OpenAPI 3.

    """
    spec: Dict[str, Any] = read_spec(path)
    validate(path, spec)
    return spec


def validate(path: Path, spec: Dict[str, Any]) -> None:
    """Make sure that what was read from a file is valid OpenAPI 3.

    Raises:
        ClassvmError: it is not.

    """
    # Takes half a second to load, which a deploy without changes can do without.
    import openapi_spec_validator  # noqa: PLC0415 - for the reason above

    try:
        openapi_spec_validator.validate(spec)
    except Exception as error:  # the validator raises its own types for a missing `openapi:`
        # What follows the first line is the spec itself.
        reason = str(getattr(error, "message", error)).partition("\n")[0][:REASON_LENGTH]
        raise ClassvmError(
            f"The spec is not valid OpenAPI 3: {reason}",
            place=str(path),
            fix="Correct it; `make check` finds the line.",
        ) from error


def operation_ids(spec: Dict[str, Any]) -> Iterator[str]:
    """Yield the operationId of each operation, for example "src.sum.get"."""
    for path, item in spec["paths"].items():
        for method in METHODS:
            if method in item:
                operation_id = item[method].get("operationId")
                if not operation_id:
                    raise ClassvmError(
                        f"{method.upper()} {path} has no operationId",
                        place=SPEC,
                        fix="Name its function, such as `operationId: src.hello.get`.",
                    )
                yield operation_id


def check_handlers(folder: Path, spec: Dict[str, Any]) -> None:
    """Make sure that each operationId names a function that is there.

    The files are parsed, not imported: the control node need not have their packages.
    """
    for operation_id in operation_ids(spec):
        module, _, function = operation_id.rpartition(".")
        file = folder / (module.replace(".", os.sep) + ".py")
        if not file.is_file():
            raise ClassvmError(
                f"The handler {operation_id} is not there: {file} is missing",
                place=SPEC,
                fix="Write that file, or correct the operationId.",
            )
        try:
            tree = ast.parse(file.read_bytes(), filename=str(file))
        except (SyntaxError, ValueError) as error:  # ValueError: null bytes, before Python 3.12
            raise ClassvmError(
                f"This is not Python: {getattr(error, 'msg', error)}",
                place=f"{file}:{getattr(error, 'lineno', None) or 1}",
                fix="Correct it; `make check` shows the line.",
            ) from error
        if function not in _top_level_names(tree):
            raise ClassvmError(
                f"The handler {operation_id} is not there: {file} has no function `{function}`",
                place=SPEC,
                fix="Write that function, or correct the operationId.",
            )


def _top_level_names(tree: ast.Module) -> List[str]:
    return [node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
