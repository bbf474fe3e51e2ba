"""Check and pack a service's folder on the control node, before any host is touched."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import os
import re
import stat
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Collection, Dict, Iterator, List

import yaml
from docker.utils.build import exclude_paths

from . import command
from .errors import ClassvmError

DOCKERFILE = "Dockerfile"
SPEC = "master.yml"
WANTED = "requirements.in"
LOCK = "requirements.txt"
FILE_DIGEST_LENGTH = 8
LOCK_SEAL = "# sealed by `make lock`: sha256:"
# Where PyYAML has its C library, it reads a document in a fifteenth of the time.
SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True)
class Packed:
    """A service's folder as Docker's build context.

    Attributes:
        digest: sha256 (hex) of the names, execute bits and bytes of all its files.
        content: digest of each file, and version of each package of its lock, by a telling
            name, as JSON.
        archive: the context as a tar file; equal content gives equal bytes.

    """

    digest: str
    archive: bytes
    content: str = ""


def check(folder: Path) -> None:
    """Refuse a service folder that could not become a working release.

    Raises:
        ClassvmError: as `check_files` and `check_contract`.

    """
    check_files(folder)
    check_contract(folder)


def check_files(folder: Path) -> None:
    """Refuse a folder that is no service, or whose lock is not current: takes milliseconds.

    Raises:
        ClassvmError: a file is missing, or the lock was edited by hand.

    """
    for name in (DOCKERFILE, SPEC, WANTED, LOCK):
        if not (folder / name).is_file():
            raise ClassvmError(
                f"{folder} is not a service: it has no {name}. Compare it with the folder"
                " `service/` of classvm.",
            )
    check_lock(folder)


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
    from openapi_spec_validator import validate  # noqa: PLC0415
    from openapi_spec_validator.validation.exceptions import (  # noqa: PLC0415
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


def seal(wanted: str, lock: str) -> str:
    """Return the line that binds a lock to the wishes it was compiled from."""
    return LOCK_SEAL + hashlib.sha256((wanted + lock).encode()).hexdigest()


def check_lock(folder: Path) -> None:
    """Make sure that the lock is as `make lock` wrote it, from the present requirements.in.

    Raises:
        ClassvmError: one of the two files was edited since.

    """
    wanted = (folder / WANTED).read_text(encoding="utf-8")
    first, _, lock = (folder / LOCK).read_text(encoding="utf-8").partition("\n")
    if not first.startswith(LOCK_SEAL):
        raise ClassvmError(f"{folder / LOCK} was not made by `make lock`: run it, then deploy")
    if first != seal(wanted, lock):
        raise ClassvmError(
            f"{folder / LOCK} does not match {WANTED}: one of them was edited by hand."
            f" Write your wishes into {WANTED}, then run `make lock`.",
        )


def pack(folder: Path) -> Packed:
    """Pack the folder as Docker would see it, without what .dockerignore leaves out."""
    digest = hashlib.sha256()
    files = {}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in _context_files(folder):
            path = folder / name
            content = path.read_bytes()
            mode = 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644
            digest.update(f"{name}\0{mode:o}\0{len(content)}\0".encode() + content)
            files[f"file {name}"] = hashlib.sha256(content).hexdigest()[:FILE_DIGEST_LENGTH]
            member = tarfile.TarInfo(name)
            member.mode = mode
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return Packed(
        digest=digest.hexdigest(),
        archive=buffer.getvalue(),
        content=json.dumps({**files, **_packages(folder)}, separators=(",", ":")),
    )


def _packages(folder: Path) -> Dict[str, str]:
    """Return the versions of the packages of a lock; {} where there is none."""
    lock = folder / LOCK
    text = lock.read_text(encoding="utf-8") if lock.is_file() else ""
    pins = re.findall(r"^([\w.-]+)==([\w.+!-]+)", text, re.MULTILINE)
    return {f"package {name}": version for name, version in pins}


def revision(folder: Path) -> str:
    """Return the git revision of a folder, such as "3f2a91c" or "3f2a91c-dirty"; "" outside git.

    Dirty is what has files that are not in that revision, in this folder: what lies beside it
    is no part of the release.
    """
    # A student's status must not leave files of root in the repository.
    git = ("git", "--no-optional-locks", "-C", str(folder))
    try:
        head = command.check([*git, "rev-parse", "--short=7", "HEAD"]).strip()
        changed = command.check([*git, "status", "--porcelain", "--", "."])
    except ClassvmError:
        return ""
    return f"{head}-dirty" if changed else head


def _context_files(folder: Path) -> List[str]:
    """Return the relative paths of the files of the build context, sorted."""
    ignore = folder / ".dockerignore"
    lines = ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    try:
        found = exclude_paths(str(folder), patterns, dockerfile=DOCKERFILE)
    except re.error as error:
        raise ClassvmError(f"{ignore} has a pattern that says nothing: {error}") from error
    files = sorted(name for name in found if (folder / name).is_file())
    for name in files:
        if folder.resolve() not in (folder / name).resolve().parents:
            raise ClassvmError(
                f"{folder / name} is a link out of the service's folder: copy the file"
            )
    return files
