"""The files of an app's folder, without what is not part of an app."""

from __future__ import annotations

import ast
import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterator, List, Tuple, Union

JUNK = {
    ".git", "__pycache__", ".venv", ".pip", "venv", "node_modules", ".ipynb_checkpoints", ".idea",
    ".vscode", ".mypy_cache", ".pytest_cache", ".DS_Store", "__MACOSX", ".tox",
}  # fmt: skip
MAX_FILES = 20_000
# The byte order marks of UTF-16, as PowerShell and old editors of Windows write it.
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# More than any source, spec or list of requirements has.
MAX_TEXT_BYTES = 2_000_000
NOTE_BYTES = 1_000


@dataclass
class AppFolder:
    """An app's folder, read once.

    Attributes:
        root: the folder.
        files: paths of its files, relative, with slashes, sorted.
        junk: paths of what is not part of an app: environments, caches.
        folder_links: paths of links to folders of the app, with the path of that folder.
        empty_folders: paths of folders with nothing in them.
        broken_links: paths of links that lead nowhere, or out of the folder.
        unreadable: paths of files and folders that may not be read; "" for the app's folder.
        roots: folders, beyond this one, in which Python looks for the app's modules; whoever reads the
            app sets them.
        is_cut: whether there are more files than `MAX_FILES`; the rest is not in ``files``.

    """

    root: Path
    files: List[str] = field(default_factory=list)
    junk: List[str] = field(default_factory=list)
    folder_links: Dict[str, str] = field(default_factory=dict)
    empty_folders: List[str] = field(default_factory=list)
    broken_links: List[str] = field(default_factory=list)
    unreadable: List[str] = field(default_factory=list)
    roots: Tuple[str, ...] = ()
    is_cut: bool = False
    _trees: Dict[str, Union[ast.Module, SyntaxError]] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Tell whether a file is there."""
        return name in self._names

    def has_folder(self, name: str) -> bool:
        """Tell whether there are files below a path."""
        return any(one.startswith(f"{name}/") for one in self.files)

    def content(self, name: str) -> bytes:
        """Return the beginning of a file: all of it, where it is a text that a person wrote."""
        try:
            with open(self.root / name, "rb") as file:
                return file.read(MAX_TEXT_BYTES)
        except OSError:
            return b""

    def beginning(self, name: str) -> bytes:
        """Return the first bytes of a file, b"" of one that is longer than a note."""
        try:
            if os.stat(self.root / name).st_size > NOTE_BYTES:
                return b""
        except OSError:
            return b""
        return self.content(name)

    def text(self, name: str) -> str:
        """Return a file as text; bytes that are not text are replaced."""
        return decoded(self.content(name))

    def is_utf_16(self, name: str) -> bool:
        """Tell whether a file is UTF-16, which neither Python nor connexion reads."""
        return self.content(name).startswith(UTF_16)

    def python_files(self) -> List[str]:
        """Return the paths of the Python files."""
        return [name for name in self.files if name.endswith(".py")]

    def parsed(self, name: str) -> Union[ast.Module, SyntaxError]:
        """Return the syntax tree of a Python file, or why there is none. Nothing is imported."""
        if name not in self._trees:
            self._trees[name] = _parsed(self.content(name))
        return self._trees[name]

    def tree(self, name: str) -> ast.Module:
        """Return the syntax tree of a Python file, an empty one where there is none."""
        found = self.parsed(name) if self.has(name) else None
        return found if isinstance(found, ast.Module) else ast.Module(body=[], type_ignores=[])

    def __post_init__(self) -> None:
        """Walk the folder."""
        for name in _walk(self.root, "", self):
            if len(self.files) >= MAX_FILES:
                self.is_cut = True
                break
            self.files.append(name)
        self.files.sort()
        self._names = set(self.files)


def decoded(content: bytes) -> str:
    """Return bytes as text, in the encoding of their byte order mark, else UTF-8."""
    if content.startswith(UTF_16):
        return content.decode("utf-16", errors="replace")
    return content.decode("utf-8-sig", errors="replace")


def _walk(root: Path, below: str, found: AppFolder) -> Iterator[str]:
    """Yield the files below a folder; note the rest in ``found``."""
    if not os.access(root / below, os.R_OK | os.X_OK):
        found.unreadable.append(below)
        return
    try:
        entries = sorted(os.scandir(root / below), key=lambda entry: entry.name)
    except OSError:  # removed meanwhile
        return
    if below and not entries:
        found.empty_folders.append(below)
    for entry in entries:
        name = f"{below}/{entry.name}" if below else entry.name
        if entry.name in JUNK or _is_environment(entry):
            found.junk.append(name)
        elif entry.is_symlink() and not (entry.is_file() and _leads_inside(root, name)):
            _note_link(root, name, found)
        elif entry.is_dir():
            yield from _walk(root, name, found)
        elif entry.is_file() and not os.access(entry.path, os.R_OK):
            found.unreadable.append(name)
        elif entry.is_file():
            yield name


def _note_link(root: Path, name: str, found: AppFolder) -> None:
    """Note a link to a folder, or to nothing, or out of the app's folder."""
    if _leads_inside(root, name) and os.path.isdir(root / name):
        target = os.path.realpath(root / name)
        found.folder_links[name] = os.path.relpath(target, os.path.realpath(root))
    else:
        found.broken_links.append(name)


def _is_environment(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir() and os.path.exists(os.path.join(entry.path, "pyvenv.cfg"))


def _leads_inside(root: Path, name: str) -> bool:
    target = os.path.realpath(root / name)
    return os.path.exists(target) and target.startswith(os.path.realpath(root) + os.sep)


def _parsed(content: bytes) -> Union[ast.Module, SyntaxError]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a student's "\d" is not our business
            return ast.parse(content)
    except SyntaxError as error:
        return error
    # Null bytes; nesting beyond what the parser can take.
    except (ValueError, RecursionError, MemoryError) as error:
        return SyntaxError(str(error) or "nested too deeply")
