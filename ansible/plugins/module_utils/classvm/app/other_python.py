"""Find what says that an app wants another Python than that of the service image."""

from __future__ import annotations

import ast
import configparser
import re
from typing import Callable, Dict, Iterator, Optional, Tuple

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from . import conda
from .findings import Finding
from .folder import AppFolder
from .python37 import ENVIRONMENT
from .toml_file import document, line_of, table, version

HERE = ENVIRONMENT["python_full_version"]
EXACT = re.compile(r"===?\s*(\d+\.\d+)\.\d+")
# Line (0: not known) and requirement, such as ">=3.8".
Wanted = Tuple[int, str]


def check(folder: AppFolder) -> Iterator[Finding]:
    """Yield the files that ask for a Python that does not include 3.7."""
    for file, reader in READERS.items():
        line, wanted = (reader(folder, file) if folder.has(file) else None) or (0, "")
        try:
            # Another 3.7 is as good as 3.7.9.
            fits = SpecifierSet(EXACT.sub(r"==\1.*", wanted)).contains(HERE)
        except InvalidSpecifier:
            continue
        if not fits:
            what = f"it asks for Python `{wanted[:40]}`"
            fix = f"Try the app with Python {ENVIRONMENT['python_version']}, then write that"
            yield Finding(file, line, 1 if line else 0, "CV046", what, fix)


def _pipfile(folder: AppFolder, file: str) -> Wanted:
    wanted = table(document(folder.text(file)), "requires")
    text = str(wanted.get("python_version") or wanted.get("python_full_version") or "")
    return line_of(folder.text(file), r"python_(full_)?version\s*="), _series(text)


def _pyproject(folder: AppFolder, file: str) -> Wanted:
    text = folder.text(file)
    whole = document(text)
    of_project = table(whole, "project").get("requires-python")
    if isinstance(of_project, str):
        return line_of(text, r"requires-python\s*="), of_project
    of_poetry = table(whole, "tool", "poetry", "dependencies").get("python")
    return line_of(text, r"\bpython\s*="), version(of_poetry) if isinstance(of_poetry, str) else ""


def _setup_cfg(folder: AppFolder, file: str) -> Wanted:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(folder.text(file))
        wanted = parser.get("options", "python_requires", fallback="")
    except configparser.Error:
        wanted = ""
    return line_of(folder.text(file), r"python_requires\s*="), wanted


def _setup_py(folder: AppFolder, file: str) -> Optional[Wanted]:
    for node in ast.walk(folder.tree(file)):
        if isinstance(node, ast.keyword) and node.arg == "python_requires":
            wanted = getattr(node.value, "value", "")
            return node.value.lineno, wanted if isinstance(wanted, str) else ""
    return None


def _conda(folder: AppFolder, file: str) -> Optional[Wanted]:
    found = conda.python(file, folder.text(file))
    return next(((one.number, one.text[len("python") :]) for one in found), None)


def _plain(folder: AppFolder, file: str) -> Wanted:
    return 1, _series(folder.text(file).strip())


def _series(text: str) -> str:
    """Return "3.8" and "python-3.8.12" as a requirement: another 3.8 will do."""
    match = re.fullmatch(r"(?:python-)?(\d+\.\d+)(?:\.\d+)?", text)
    return f"=={match[1]}.*" if match else ""


READERS: Dict[str, Callable[[AppFolder, str], Optional[Wanted]]] = {
    "Pipfile": _pipfile,
    "pyproject.toml": _pyproject,
    "setup.cfg": _setup_cfg,
    "setup.py": _setup_py,
    **dict.fromkeys(conda.FILES, _conda),
    "runtime.txt": _plain,
    ".python-version": _plain,
}
