"""The files of an app that go into its image, and those that stay out."""

from __future__ import annotations

import functools
import os
import posixpath
import re
import tarfile
from dataclasses import dataclass
from typing import Dict, List, Tuple

from ..base.errors import ClassvmError
from . import docker_ignore, pack
from .findings import listed
from .folder import AppFolder

IGNORE = ".dockerignore"
# Secrets of the developer's computer, and what programs write beside the files of people.
STAYS_OUT = re.compile(
    r"(^|/)(\.env(\.(?!example$|sample$|template$)[\w.-]+)?|Thumbs\.db|desktop\.ini|[^/]+\.py[co])$"
)


@dataclass(frozen=True)
class AppFiles:
    """The files of an app.

    Attributes:
        names: the paths of its files that go into the image, sorted.
        files: these, the links to folders and the empty folders, sorted by name.
        left_out: the paths of what stays out, sorted.
        ignored: the paths that .dockerignore leaves out, sorted.

    """

    names: Tuple[str, ...]
    files: Tuple[pack.File, ...]
    left_out: Tuple[str, ...]
    ignored: Tuple[str, ...]

    def notes(self) -> List[str]:
        """Return what stays out, as one line; [] where nothing does."""
        counts: Dict[str, int] = {}
        for name in self.left_out:
            last = posixpath.basename(name)
            if last == ".git":
                continue  # each clone has one, and nobody would deploy it
            counts[last] = counts.get(last, 0) + 1
        said = [f"{name} ({count} times)" if count > 1 else name for name, count in counts.items()]
        if self.ignored:
            plural = "s" * (len(self.ignored) != 1)
            said.append(f"{len(self.ignored)} file{plural} by {IGNORE}")
        return [f"left out of the image: {listed(said)}"] if said else []


def app_files(folder: AppFolder) -> AppFiles:
    """Read the files of an app that go into its image.

    Raises:
        ClassvmError: a file cannot be read, or .dockerignore has a pattern that is not valid.

    """
    is_ignored = _Ignored(folder)
    out = [name for name in folder.files if STAYS_OUT.search(name)]
    inside = [name for name in folder.files if not STAYS_OUT.search(name)]
    ignored = [name for name in inside if is_ignored(name)]
    names = sorted(set(inside) - set(ignored))
    files = [pack.read(folder.root, name) for name in names]
    files += [
        pack.File(name, 0o755, b"", tarfile.DIRTYPE)
        for name in folder.empty_folders
        if not is_ignored(name)
    ]
    files += [
        pack.File(name, 0o777, _relative(name, target), tarfile.SYMTYPE)
        for name, target in folder.folder_links.items()
        if not is_ignored(name)
    ]
    return AppFiles(
        names=tuple(names),
        files=tuple(sorted(files, key=lambda file: file.name)),
        left_out=tuple(sorted([*folder.junk, *folder.broken_links, *out])),
        ignored=tuple(ignored),
    )


def _relative(name: str, target: str) -> bytes:
    """Return what a link says that leads from one path of the app's folder to another."""
    return os.fsencode(posixpath.relpath(target, posixpath.dirname(name) or "."))


class _Ignored:
    """Tells what .dockerignore leaves out, as Docker does for a folder that it walks."""

    def __init__(self, folder: AppFolder) -> None:
        text = folder.text(IGNORE) if folder.has(IGNORE) else ""
        lines = [line.strip() for line in text.splitlines() if not line.startswith("#")]
        self._patterns = docker_ignore.matcher([line for line in lines if line])
        self._exceptions = [one.cleaned_pattern for one in self._patterns.patterns if one.exclusion]
        # Most files share their folders with others.
        self._skips = functools.lru_cache(maxsize=None)(self._skips_folder)

    def __call__(self, name: str) -> bool:
        """Tell whether a file or folder is left out.

        Raises:
            ClassvmError: a pattern is not valid.

        """
        try:
            return self._skips(posixpath.dirname(name)) or bool(self._patterns.matches(name))
        except re.error as error:
            what = f"A pattern is not valid: {error}"
            raise ClassvmError(what, place=IGNORE, fix="Correct it.") from error

    def _skips_folder(self, name: str) -> bool:
        """Tell whether nothing below a folder is looked at."""
        if not name:
            return False
        if self._skips(posixpath.dirname(name)):
            return True
        has_exception = any(one.startswith(name) for one in self._exceptions)
        return bool(self._patterns.matches(name)) and not has_exception
