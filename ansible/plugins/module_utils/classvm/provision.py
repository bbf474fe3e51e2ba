"""Remember on the host which provision it has, so that a student's redeploy can skip it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any, List, Mapping, Sequence

from . import command
from .docker import NOT_IN_GROUP, Docker

RECORD = "provision.json"
ADMIN_GROUPS = ("sudo", "wheel", "admin")


def fingerprint(paths: Sequence[Path], variables: Mapping[str, Any]) -> str:
    """Return two digests, joined by "-": of the files, and of the variables.

    Args:
        paths: files and folders whose content counts.
        variables: values that the roles are given.

    """
    digest = hashlib.sha256()
    for path in paths:
        for file in _files(path):
            digest.update(f"{file.relative_to(path.parent)}\0".encode() + file.read_bytes())
    values = json.dumps(variables, sort_keys=True, default=str).encode()
    return f"{digest.hexdigest()}-{hashlib.sha256(values).hexdigest()}"


def _files(path: Path) -> List[Path]:
    if path.is_file():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".md"
    )


def why_stale(  # noqa: PLR0911 - one per reason
    docker: Docker,
    state_dir: str,
    wished: str,
    base_image: str,
    *,
    may_provision: bool = True,
) -> str:
    """Return why a host needs its provision (again), or "" when it does not.

    Args:
        docker: the host's engine.
        state_dir: the host's state folder.
        wished: fingerprint of the provision that the control node describes.
        base_image: name of the base image.
        may_provision: whether this account could become root. Whoever could not has the VM
            as an admin chose to provision it: their own inventory's variables do not count.

    """
    record = Path(state_dir) / RECORD
    if not record.exists():
        return "this host was never provisioned"
    recorded = _recorded(record)
    if recorded.partition("-")[0] != wished.partition("-")[0]:
        return "the roles have changed since this host was provisioned"
    if may_provision and recorded != wished:
        return "the roles' variables have changed since this host was provisioned"
    problem = docker.engine_problem()
    if problem == NOT_IN_GROUP:
        # An account that may not ask the engine cannot say more.
        return ""
    if problem:
        return problem
    if docker.image(base_image) is None:
        return f"the base image {base_image} is missing"
    return ""


def _recorded(record: Path) -> str:
    """Return the fingerprint on record; "" when a power cut left no legible one."""
    try:
        return str(json.loads(record.read_text(encoding="utf-8"))["fingerprint"])
    except (ValueError, LookupError, TypeError):
        return ""


def write_record(state_dir: str, wished: str) -> None:
    """Remember that the provision with this fingerprint is complete."""
    record = Path(state_dir) / RECORD
    new = record.with_suffix(".new")
    new.write_text(json.dumps({"fingerprint": wished}) + "\n", encoding="utf-8")
    new.chmod(0o664)
    new.replace(record)


def privilege(groups: Sequence[str]) -> str:
    """Return how this account can become root: "root", "sudo", "password" or "none".

    Args:
        groups: names of the account's groups.

    """
    if os.geteuid() == 0:
        return "root"
    if shutil.which("sudo") is None:
        return "none"
    if command.run(["sudo", "--non-interactive", "true"]).code == 0:
        return "sudo"
    return "password" if set(groups) & set(ADMIN_GROUPS) else "none"
