"""Pack an app's folder as Docker's build context; equal content gives equal bytes."""

from __future__ import annotations

import hashlib
import io
import json
import re
import stat
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List

from docker.utils.build import exclude_paths

from ..base.errors import ClassvmError
from .layout import DOCKERFILE, LOCK

FILE_DIGEST_LENGTH = 8


@dataclass(frozen=True)
class Packed:
    """An app's folder as Docker's build context.

    Attributes:
        digest: sha256 (hex) of the names, execute bits and bytes of all its files.
        content: digest of each file, and version of each package of its lock, by a readable
            name, as JSON.
        archive: the context as a tar file; equal content gives equal bytes.

    """

    digest: str
    archive: bytes
    content: str = ""


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


def _context_files(folder: Path) -> List[str]:
    """Return the relative paths of the files of the build context, sorted."""
    ignore = folder / ".dockerignore"
    lines = ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    try:
        found = exclude_paths(str(folder), patterns, dockerfile=DOCKERFILE)
    except re.error as error:
        raise ClassvmError(f"{ignore} has a pattern that is not valid: {error}") from error
    files = sorted(name for name in found if (folder / name).is_file())
    for name in files:
        if folder.resolve() not in (folder / name).resolve().parents:
            raise ClassvmError(f"{folder / name} is a link out of the app's folder: copy the file")
    return files
