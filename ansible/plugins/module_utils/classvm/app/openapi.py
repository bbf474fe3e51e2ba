"""Read an app's spec and make sure that its handlers are there, without running the app."""

from __future__ import annotations

import ast
import hashlib
import os
from pathlib import Path
from typing import Any, Collection, Dict, Iterator, List

import yaml

from ..base.errors import ClassvmError
from .layout import SPEC

# Where PyYAML has its C library, it reads a document in a fifteenth of the time.
SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def check_contract(folder: Path, valid: Collection[str] = ()) -> None:
    """Refuse a contract that is not valid, or has no handlers: the former takes a second.

    Args:
        folder: the service's folder.
        valid: digests of contracts that were found valid before.

    Raises:
        ClassvmError: the contract is not valid OpenAPI, or an operation has no handler.

    """
    file = folder / SPEC
    spec = read_yaml(file) if contract_digest(folder) in valid else load_spec(file)
    check_handlers(folder, spec)


def contract_digest(folder: Path) -> str:
    """Return the sha256 (hex) of a service's contract."""
    return hashlib.sha256((folder / SPEC).read_bytes()).hexdigest()


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - YAML holds anything
    """Return what a YAML file holds."""
    return yaml.load(path.read_text(encoding="utf-8"), SAFE_LOADER)  # noqa: S506 - it is a safe one


def load_spec(path: Path) -> Dict[str, Any]:
    """Read a contract and return it as a dictionary.

    Raises:
        ClassvmError: the file is not YAML, or not OpenAPI 3.

    """
    # Takes half a second to load, which a deploy without changes can do without.
    from openapi_spec_validator import validate  # noqa: PLC0415 - for the reason above
    from openapi_spec_validator.validation.exceptions import (  # noqa: PLC0415 - as above
        OpenAPIValidationError,
    )

    try:
        spec = read_yaml(path)
        validate(spec)
    except yaml.YAMLError as error:
        raise ClassvmError(f"{path} is not valid YAML: {error}") from error
    except (OpenAPIValidationError, TypeError, AttributeError) as error:
        reason = getattr(error, "message", str(error))
        raise ClassvmError(f"{path} is not valid OpenAPI 3: {reason}") from error
    except Exception as error:  # the validator raises its own types for a missing `openapi:`
        raise ClassvmError(f"{path} is not valid OpenAPI 3: {error}") from error
    loaded: Dict[str, Any] = spec
    return loaded


def operation_ids(spec: Dict[str, Any]) -> Iterator[str]:
    """Yield the operationId of each operation, for example "src.sum.get"."""
    for path, item in spec["paths"].items():
        for method in METHODS:
            if method in item:
                operation_id = item[method].get("operationId")
                if not operation_id:
                    raise ClassvmError(f"{SPEC}: {method.upper()} {path} has no operationId")
                yield operation_id


def check_handlers(folder: Path, spec: Dict[str, Any]) -> None:
    """Make sure that each operationId names a function that is there.

    The files are parsed, not imported: the control node need not have their packages.
    """
    for operation_id in operation_ids(spec):
        module, _, function = operation_id.rpartition(".")
        file = folder / (module.replace(".", os.sep) + ".py")
        if not file.is_file():
            raise ClassvmError(f"{SPEC} names the handler {operation_id}, but {file} is missing")
        try:
            tree = ast.parse(file.read_bytes(), filename=str(file))
        except SyntaxError as error:
            raise ClassvmError(f"{file}, line {error.lineno or 1}: {error.msg}") from error
        except ValueError as error:  # null bytes, before Python 3.12
            raise ClassvmError(f"{file}: {error}") from error
        if function not in _top_level_names(tree):
            raise ClassvmError(
                f"{SPEC} names the handler {operation_id}, but {file} has no function `{function}`",
            )


def _top_level_names(tree: ast.Module) -> List[str]:
    return [node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
