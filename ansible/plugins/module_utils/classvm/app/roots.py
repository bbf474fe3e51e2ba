"""Find the folders, beyond the app's own, in which Python looks for the app's modules."""

from __future__ import annotations

import posixpath
import re
from typing import Collection, Iterator, List, Tuple

from . import code, dockerfile
from .dockerfile import Instruction
from .folder import AppFolder

# With one of these at the top, packages in `src` are imported without that word.
BUILD_FILES = ("setup.py", "setup.cfg", "pyproject.toml")
SOURCES = "src"
SPEC_ENDINGS = (".yml", ".yaml", ".json")
HANDLER = re.compile(r"""\b(?:operationId|router-controller)["']?\s*:\s*["']?(\w+)""")
NAME = "PYTHONPATH"
SETTING = re.compile(rf"\b{NAME}\s*[:?]?=\s*(\"[^\"]*\"|'[^']*'|\S+)")


def find(folder: AppFolder, instructions: List[Instruction]) -> Tuple[str, ...]:
    """Return the folders, relative to the app's, each once.

    Args:
        folder: the app's files.
        instructions: its Dockerfile.

    """
    named = [*_of_dockerfile(instructions), *_of_makefile(folder)]
    found = [*_of_layout(folder), *(one for one in named if folder.has_folder(one))]
    return tuple(dict.fromkeys(found))


def _of_layout(folder: AppFolder) -> Iterator[str]:
    inside = (re.fullmatch(rf"{SOURCES}/(\w+)/__init__\.py", one) for one in folder.files)
    packages = {match[1] for match in inside if match}
    is_package = folder.has(f"{SOURCES}/__init__.py")
    if packages and not is_package and (_is_built(folder) or _names_without(folder, packages)):
        yield SOURCES


def _is_built(folder: AppFolder) -> bool:
    return any(map(folder.has, BUILD_FILES))


def _names_without(folder: AppFolder, packages: Collection[str]) -> bool:
    """Tell whether the app names packages of ``src`` without that word, and never with it."""
    files = folder.python_files()
    names = {name for file in files for name in code.imported(folder.tree(file))}
    specs = (file for file in folder.files if file.lower().endswith(SPEC_ENDINGS))
    names.update(name for file in specs for name in HANDLER.findall(folder.text(file)))
    firsts = {name.partition(".")[0] for name in names}
    top = {one.partition("/")[0] for one in folder.files}
    return SOURCES not in firsts and bool(firsts.intersection(packages) - top)


def _of_dockerfile(instructions: List[Instruction]) -> Iterator[str]:
    home = dockerfile.workdir(instructions)
    for one in instructions:
        if one.name == "ENV":
            # `ENV NAME value` is the older notation.
            match = SETTING.search(re.sub(rf"^{NAME}\s+", f"{NAME}=", one.rest))
            yield from _folders(match[1] if match else "", home)


def _of_makefile(folder: AppFolder) -> Iterator[str]:
    text = folder.text("Makefile") if folder.has("Makefile") else ""
    for match in SETTING.finditer(text):
        yield from _folders(match[1], "")


def _folders(value: str, home: str) -> Iterator[str]:
    """Yield the folders of a search path that lie below the app's own folder."""
    for word in value.strip("\"'").split(":"):
        path = posixpath.normpath(
            posixpath.join(home, re.sub(r"^(\.|\$\(?PWD\)?|\$\(CURDIR\))/", "", word))
        )
        path = posixpath.relpath(path, home) if home and path.startswith(home) else path
        if word and "$" not in path and path != "." and not path.startswith(("/", "..")):
            yield path
