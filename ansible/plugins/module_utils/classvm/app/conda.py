"""Read an environment.yml of conda, in the notation of a requirements.txt."""

from __future__ import annotations

import re
from typing import Iterator

from .located import Located, Path, load
from .requirement_lines import Line

FILES = ("environment.yml", "environment.yaml")
# [channel::]name[=version[=build]], or with operators as pip has them.
PACKAGE = re.compile(r"(?:[^\s:]+::)?([A-Za-z0-9_][\w.-]*)\s*(.*)")
BUILD = re.compile(r"(==?)\s*(\d[\w.!+]*)(\.\*)?(?:=\S+)?")
PYTHON = re.compile(r"python(?![\w.-]).+|python$")
# Packages whose names on the index are other ones.
NAMES = {
    "py-opencv": "opencv-python", "py-xgboost": "xgboost", "pytables": "tables",
    "pytorch": "torch", "msgpack-python": "msgpack",
}  # fmt: skip
# Numbers of a version that is written out: conda takes `=1.19` for any 1.19.x.
WHOLE = 3


def environment(file: str, text: str) -> Iterator[Line]:
    """Yield the packages of an environment: those that conda installs, and those of its pip."""
    found = load(file, text)
    for path, one in _items(found, ("dependencies",)):
        if isinstance(one, str):
            line = _line(found, path, one)
            if not PYTHON.match(line.text):
                yield line
        elif isinstance(one, dict):
            for at, each in _items(found, (*path, "pip")):
                if isinstance(each, str):
                    yield Line(file, found.at_key(at)[0], each.strip())


def python(file: str, text: str) -> Iterator[Line]:
    """Yield the Python that an environment asks for: "python==3.8.*"."""
    found = load(file, text)
    for path, one in _items(found, ("dependencies",)):
        line = _line(found, path, one) if isinstance(one, str) else None
        if line and PYTHON.fullmatch(line.text):
            yield line


def _items(found: Located, path: Path) -> Iterator[tuple[Path, object]]:
    value = found.value
    for key in path:
        if isinstance(value, dict):
            value = value.get(key)
        else:  # a list, whose numbers come from here
            value = value[key] if isinstance(value, list) and isinstance(key, int) else None
    for index, item in enumerate(value if isinstance(value, list) else ()):
        yield (*path, index), item


def _line(found: Located, path: Path, text: str) -> Line:
    """Return a package that conda installs as pip would have it."""
    number = found.at_key(path)[0]
    match = PACKAGE.fullmatch(text.strip())
    if not match:
        return Line(found.file, number, text.strip(), from_conda=True)
    name = NAMES.get(match[1], match[1])
    version = BUILD.fullmatch(match[2].strip())
    if not version:
        return Line(found.file, number, f"{name}{match[2].strip()}", from_conda=True)
    is_whole = version[1] == "==" or version[2].count(".") >= WHOLE - 1
    end = "" if is_whole and not version[3] else ".*"
    return Line(found.file, number, f"{name}=={version[2]}{end}", from_conda=True)
