"""Read a list of requirements as students have it: what each line names, and what is wrong."""

from __future__ import annotations

import ast
import re
from typing import Dict, Iterator, List, NamedTuple, Set, Tuple

from .findings import Finding, listed
from .folder import AppFolder

SOURCES = ("requirements.in", "requirements.txt", "Pipfile", "pyproject.toml", "setup.py")
NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?\s*(.*)")
CONFLICT = re.compile(r"<<<<<<<|=======|>>>>>>>")
GIT = re.compile(r"(^|[\s@])(git|hg|svn|bzr)\+|@\s*https?://|^https?://")
LOCAL_FOLDER = re.compile(r"@\s*file:|^file:")
WINDOWS = {
    "pywin32", "pypiwin32", "pywinpty", "wincertstore", "win-inet-pton", "pywin32-ctypes",
    "win-unicode-console", "pyreadline", "menuinst",
}  # fmt: skip
ANACONDA = re.compile(
    r"mkl[-_].*|conda.*|anaconda.*|navigator-updater|clyent|ruamel[-_]yaml[-_]conda"
)
PLACEHOLDERS = {"sklearn": "scikit-learn", "opencv": "opencv-python", "bs4": "beautifulsoup4"}
# Enough of the standard library's modules: those that students list.
STANDARD = {
    "argparse", "asyncio", "base64", "collections", "copy", "csv", "datetime", "decimal", "enum",
    "functools", "getpass", "glob", "hashlib", "io", "itertools", "json", "logging", "math",
    "os", "pathlib", "pickle", "platform", "random", "re", "shutil", "socket", "sqlite3",
    "statistics", "string", "subprocess", "sys", "tempfile", "threading", "time", "traceback",
    "typing", "unittest", "urllib", "uuid", "warnings", "zipfile",
}  # fmt: skip
# Packages by the module that code imports, where the two differ.
PACKAGES = {
    "sklearn": "scikit-learn", "yaml": "pyyaml", "dateutil": "python-dateutil", "PIL": "pillow",
    "cv2": "opencv-python", "bs4": "beautifulsoup4", "flask_cors": "flask-cors",
    "markupsafe": "markupsafe", "magic": "python-magic", "dotenv": "python-dotenv",
}  # fmt: skip
# What these two bring along.
BROUGHT = {
    "connexion": {"flask", "werkzeug", "jinja2", "markupsafe", "click", "itsdangerous", "jsonschema",
                  "pyyaml", "requests", "clickclick", "inflection", "six", "swagger-ui-bundle"},
    "flask": {"werkzeug", "jinja2", "markupsafe", "click", "itsdangerous"},
}  # fmt: skip
# The newest major version of a package for Python 3.7.
NEWEST = {
    "connexion": ((3,), "connexion[swagger-ui]<3"),
    "flask": ((2, 3), "flask<2.3"),
    "werkzeug": ((2, 3), "werkzeug<2.3"),
}
# Versions below these need helpers of their time.
OLD = {
    "flask": ((2, 0), ("Jinja2<3.1", "MarkupSafe<2.1", "itsdangerous<2.1", "Werkzeug<2")),
    "connexion": ((2, 8), ("openapi-spec-validator<0.3", "jsonschema<4")),
}
NEEDED = ("flask", "connexion")


class Requirement(NamedTuple):
    """One line of a list: the package's name in lower case with hyphens, and its version part."""

    line: int
    name: str
    version: str


def source(folder: AppFolder) -> str:
    """Return the file that lists the requirements, "" where there is none."""
    return next((name for name in SOURCES if folder.has(name)), "")


def normal(name: str) -> str:
    """Return a package's name as the index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(text: str) -> List[Requirement]:
    """Return the packages that a list names."""
    return [one for one, _ in _lines("", text) if one]


def _lines(file: str, text: str) -> Iterator[tuple[Requirement | None, Finding | None]]:
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.split(" #")[0].strip()
        if not line or line.startswith(("#", "--hash")):
            continue
        match = NAME.match(line)
        requirement = None
        if match and not line.startswith("-") and not CONFLICT.match(line):
            version = match[3].split(";")[0].split(" --hash")[0].strip(" \\")
            requirement = Requirement(number, normal(match[1]), version)
        yield requirement, _wrong(file, number, line, requirement)


def _wrong(file: str, number: int, line: str, one: Requirement | None) -> Finding | None:
    code, what, fix = _line_problem(line, one.name if one else "") or _version_problem(one)
    return Finding(file, number, 1, code, what, fix) if code else None


def _line_problem(line: str, name: str) -> Tuple[str, str, str] | None:
    """Return code, what and fix of a line that cannot stay, whatever its version."""
    if CONFLICT.match(line):
        fix = "Keep one of the versions, delete the markers"
        return "CV030", "a marker of an unfinished merge", fix
    if GIT.search(line) or (line.startswith(("-e ", "--editable")) and "+" in line):
        fix = "Copy the code into the folder, or name a released version"
        return "CV031", f"`{line[:80]}` comes from a server at build time", fix
    if name in WINDOWS or ANACONDA.fullmatch(name):
        return "CV033", f"`{name}` exists for Windows or Anaconda only", "Delete the line"
    if LOCAL_FOLDER.search(line):
        fix = f"Write `{name}`; `pip list --format=freeze` gives the versions"
        return "CV032", f"`{line[:80]}` is a folder of another computer", fix
    return _name_problem(name)


def _name_problem(name: str) -> Tuple[str, str, str] | None:
    if name in STANDARD:
        return "CV034", f"`{name}` comes with Python", "Delete the line"
    if name in PLACEHOLDERS:
        return "CV035", f"`{name}` is only a placeholder", f"Write `{PLACEHOLDERS[name]}`"
    return None


def _version_problem(one: Requirement | None) -> Tuple[str, str, str]:
    if one and not one.version:
        return "CV036", f"`{one.name}` has no version", "Let `make lock` choose one"
    newest, better = NEWEST.get(one.name, ((), "")) if one else ((), "")
    if one and newest and _pinned(one) >= newest:
        what = f"`{one.name}{one.version[:20]}` needs a newer Python than 3.7"
        return "CV040", what, f"Write `{better}`"
    return "", "", ""


def check(folder: AppFolder) -> List[Finding]:
    """Return the findings in the list of requirements."""
    file = source(folder)
    if file not in ("requirements.in", "requirements.txt"):
        return []
    text = folder.text(file)
    found = [finding for _, finding in _lines(file, text) if finding]
    if folder.is_utf_16(file):
        what = "the file is UTF-16, as PowerShell's `>` writes it"
        found.append(Finding(file, 1, 0, "CV038", what, "Save it as UTF-8"))
    found += _doubled(file, read(text))
    names = {PLACEHOLDERS.get(one.name, one.name) for one in read(text)}
    found += _not_listed(folder, file, names)
    found += _half_pinned(file, read(text))
    if file == "requirements.in":  # `make lock` chooses the versions
        found = [one for one in found if one.code != "CV036"]
    return found


def _doubled(file: str, requirements: List[Requirement]) -> Iterator[Finding]:
    first: Dict[str, int] = {}
    for one in requirements:
        if one.name in first:
            what = f"`{one.name}` is also in line {first[one.name]}"
            yield Finding(
                file, one.line, 1, "CV037", what, "Keep one of the two, with the extras of both"
            )
        first.setdefault(one.name, one.line)


def _half_pinned(file: str, requirements: List[Requirement]) -> Iterator[Finding]:
    """Yield an old version whose helpers are left to today's: they no longer fit."""
    named = {one.name for one in requirements}
    for one in requirements:
        limit, helpers = OLD.get(one.name, ((0,), ()))
        pinned = _pinned(one)
        lacking = [name for name in helpers if normal(re.split("[<=]", name)[0]) not in named]
        if pinned and pinned < limit and lacking:
            what = f"`{one.name}` is of its time, but its helpers would be today's"
            yield Finding(file, one.line, 1, "CV041", what, f"Add {listed(lacking)}")


def _pinned(one: Requirement) -> tuple[int, ...]:
    """Return the first two numbers of a version that is fixed, () where it is not."""
    found = re.search(r"==\s*(\d+(?:\.\d+)*)", one.version)
    parts = found[1].split(".")[:2] if found else []
    return tuple(int(part) for part in parts if len(part) < 9)  # noqa: PLR2004 - versions are short


def _not_listed(folder: AppFolder, file: str, names: Set[str]) -> Iterator[Finding]:
    """Yield the web frameworks and other well-known packages that code imports unlisted."""
    brought = {one for name in names for one in BROUGHT.get(name, ())}
    for module, place in imported(folder).items():
        package = PACKAGES.get(module, module)
        if normal(package) not in names | brought and (module in PACKAGES or module in NEEDED):
            what = f"{place} imports `{module}`, and no line here names its package"
            yield Finding(file, 0, 0, "CV039", what, f"Add `{package}`")


def imported(folder: AppFolder) -> Dict[str, str]:
    """Return the first place ("app.py:3") of each top-level module that the code imports."""
    own = {name.partition("/")[0].replace(".py", "") for name in folder.python_files()}
    found: Dict[str, str] = {}
    for file in folder.python_files():
        for node in ast.walk(folder.tree(file)):
            names: List[str] = []
            if isinstance(node, ast.Import):
                names = [one.name for one in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in names:
                top = name.partition(".")[0]
                if top and top not in own:
                    found.setdefault(top, f"{file}:{getattr(node, 'lineno', 0)}")
    return found
