"""Pack an app's folder as Docker's build context; equal content gives equal bytes."""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Tuple

from docker.utils.build import exclude_paths

from ..base.errors import ClassvmError
from . import contents
from .layout import DOCKERFILE, LOCK


@dataclass(frozen=True)
class File:
    """A file of an app: its path in the folder, its mode and its bytes."""

    name: str
    mode: int
    content: bytes


@dataclass(frozen=True)
class Packed:
    """An app's folder as Docker's build context.

    Attributes:
        digest: sha256 (hex) of the names, execute bits and bytes of all its files.
        files: the files, sorted by name.
        content: what it is made of, as JSON of limited length: `contents.describe`.

    """

    digest: str
    files: Tuple[File, ...]
    content: str = ""

    @property
    def archive(self) -> bytes:
        """The context as a tar file; equal content gives equal bytes. Takes time: read it once."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for file in self.files:
                member = tarfile.TarInfo(file.name)
                member.mode = file.mode
                member.size = len(file.content)
                archive.addfile(member, io.BytesIO(file.content))
        return buffer.getvalue()


def pack(folder: Path) -> Packed:
    """Pack the folder as Docker would see it, without what .dockerignore leaves out."""
    files = tuple(_read(folder, name) for name in _context_files(folder))
    digest = hashlib.sha256()
    for file in files:
        head = f"\0{file.mode:o}\0{len(file.content)}\0"
        digest.update(os.fsencode(file.name) + head.encode() + file.content)
    digests = {file.name: hashlib.sha256(file.content).hexdigest() for file in files}
    return Packed(
        digest=digest.hexdigest(),
        files=files,
        content=contents.describe(digests, _packages(folder)),
    )


def _read(folder: Path, name: str) -> File:
    path = folder / name
    mode = 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644
    return File(name, mode, path.read_bytes())


def _packages(folder: Path) -> Dict[str, str]:
    """Return the versions of the packages of a lock; {} where there is none."""
    lock = folder / LOCK
    text = lock.read_text(encoding="utf-8") if lock.is_file() else ""
    pins = re.findall(r"^([\w.-]+)==([\w.+!-]+)", text, re.MULTILINE)
    return dict(pins)


def _context_files(folder: Path) -> List[str]:
    """Return the relative paths of the files of the build context, sorted."""
    ignore = folder / ".dockerignore"
    lines = ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    try:
        found = exclude_paths(str(folder), patterns, dockerfile=DOCKERFILE)
    except re.error as error:
        raise ClassvmError(f"{ignore} has a pattern that is not valid: {error}") from error
    files = sorted(name for name in found if os.path.isfile(os.path.join(folder, name)))
    # A link to a folder is not followed, so only a file itself can be a link.
    for name in filter(lambda name: os.path.islink(os.path.join(folder, name)), files):
        if folder.resolve() not in (folder / name).resolve().parents:
            raise ClassvmError(f"{folder / name} is a link out of the app's folder: copy the file")
    return files
