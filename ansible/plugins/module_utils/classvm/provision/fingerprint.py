"""The fingerprint of a provision: what decides how a provisioned host looks."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, List, Mapping, Sequence


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
