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
from typing import Dict, Iterable, Iterator, List, Tuple

from ..base.errors import ClassvmError
from . import contents, docker_ignore
from .layout import DOCKERFILE, LOCK


@dataclass(frozen=True)
class File:
    """A file of a build context.

    Attributes:
        name: its path.
        mode: its mode.
        content: its bytes; of a link, the path that it names.
        kind: type of a tar file's member: a file, a folder or a link.

    """

    name: str
    mode: int
    content: bytes
    kind: bytes = tarfile.REGTYPE


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
                member.mode, member.type = file.mode, file.kind
                if file.kind == tarfile.SYMTYPE:
                    member.linkname = os.fsdecode(file.content)
                else:
                    member.size = len(file.content)
                archive.addfile(member, io.BytesIO(file.content))
        return buffer.getvalue()


def pack(folder: Path) -> Packed:
    """Pack the folder as Docker would see it, without what .dockerignore leaves out."""
    lock = folder / LOCK
    text = lock.read_text(encoding="utf-8") if lock.is_file() else ""
    return packed((read(folder, name) for name in _context_files(folder)), text)


def whole(folder: Path) -> Packed:
    """Return all files of a folder as a build context; links are followed."""
    return packed((read(folder, name) for name in names(folder)), "")


def names(folder: Path) -> List[str]:
    """Return the paths of the files of a folder, without what Python leaves there, sorted."""
    return sorted(_walk(folder))


def _walk(folder: Path) -> Iterator[str]:
    for below, _, files in os.walk(folder):
        for name in files:
            path = os.path.relpath(os.path.join(below, name), folder)
            if "__pycache__" not in path.split(os.sep):
                yield path


def packed(files: Iterable[File], requirements: str) -> Packed:
    """Return files as a build context.

    Args:
        files: the files, sorted by name.
        requirements: the list that pins the packages in it.

    """
    every = tuple(files)
    digest = hashlib.sha256()
    for file in every:
        kind = "" if file.kind == tarfile.REGTYPE else file.kind.decode()
        head = f"\0{kind}{file.mode:o}\0{len(file.content)}\0"
        digest.update(os.fsencode(file.name) + head.encode() + file.content)
    digests = {file.name: hashlib.sha256(file.content).hexdigest() for file in every}
    content = contents.describe(digests, _packages(requirements))
    return Packed(digest=digest.hexdigest(), files=every, content=content)


def read(folder: Path, name: str, packed_name: str = "") -> File:
    """Read a file of a folder, with its mode reduced to the execute bit.

    Args:
        folder: the folder.
        name: path of the file in it.
        packed_name: its path in the build context, "" for the same.

    Raises:
        ClassvmError: it cannot be read.

    """
    path = folder / name
    try:
        mode = 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644
        return File(packed_name or name, mode, path.read_bytes())
    except OSError as error:
        raise ClassvmError(
            f"A file of the app cannot be read: {error.strerror}",
            place=str(path),
            fix="Make it readable, or remove it.",
        ) from error


def _packages(requirements: str) -> Dict[str, str]:
    """Return the versions that a list of requirements pins."""
    return dict(re.findall(r"^([\w.-]+)==([\w.+!-]+)", requirements, re.MULTILINE))


def _context_files(folder: Path) -> List[str]:
    """Return the relative paths of the files of the build context, sorted."""
    ignore = folder / ".dockerignore"
    lines = ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    try:
        found = docker_ignore.files(str(folder), patterns, dockerfile=DOCKERFILE)
    except re.error as error:
        raise ClassvmError(
            f"A pattern is not valid: {error}", place=".dockerignore", fix="Correct it."
        ) from error
    except OSError as error:
        raise ClassvmError(
            f"A part of the app cannot be read: {error.strerror}",
            place=str(error.filename),
            fix="Make it readable, or remove it.",
        ) from error
    files = sorted(name for name in found if os.path.isfile(os.path.join(folder, name)))
    # A link to a folder is not followed, so only a file itself can be a link.
    for name in filter(lambda name: os.path.islink(os.path.join(folder, name)), files):
        if folder.resolve() not in (folder / name).resolve().parents:
            raise ClassvmError(
                "A link leads out of the app's folder",
                place=str(folder / name),
                fix="Put a copy of the file in its place.",
            )
    return files
