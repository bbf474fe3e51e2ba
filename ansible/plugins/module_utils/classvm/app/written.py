"""Find what an app writes at run time, and which folders have to be writable for it."""

from __future__ import annotations

import ast
import posixpath
from dataclasses import dataclass
from typing import Iterable, Iterator, List, Optional, Tuple

from .code_paths import UNKNOWN, CodePaths, inside
from .findings import Finding
from .folder import AppFolder

# Stands for the object itself in place of an argument's number: `path.write_text(…)`.
OWN = -1
# Which argument of a call is the path that it writes, by module and name; "*" is any object.
CALLS = {
    ("os", "mkdir"): 0, ("os", "makedirs"): 0, ("*", "mkdir"): OWN,
    ("os", "remove"): 0, ("os", "unlink"): 0, ("os", "rmdir"): 0, ("shutil", "rmtree"): 0,
    ("os", "rename"): 1, ("os", "replace"): 1,
    ("shutil", "move"): 1, ("shutil", "copy"): 1, ("shutil", "copyfile"): 1, ("shutil", "copy2"): 1,
    ("sqlite3", "connect"): 0, ("joblib", "dump"): 1,
    ("numpy", "save"): 0, ("np", "save"): 0, ("np", "savetxt"): 0, ("cv2", "imwrite"): 1,
    ("shelve", "open"): 0, ("dbm", "open"): 0,
    ("*", "write_text"): OWN, ("*", "write_bytes"): OWN, ("*", "touch"): OWN,
    ("*", "FileHandler"): 0, ("*", "RotatingFileHandler"): 0, ("*", "TimedRotatingFileHandler"): 0,
    ("*", "TinyDB"): 0, ("*", "save"): 0, ("*", "savefig"): 0, ("*", "urlretrieve"): 1,
    ("*", "to_csv"): 0, ("*", "to_json"): 0, ("*", "to_pickle"): 0, ("*", "to_excel"): 0,
}  # fmt: skip
# What these are given is a path even where it is not spelt out.
ALWAYS_PATHS = {"open", "mkdir", "makedirs", "connect"}
FOLDER_MAKERS = {"mkdir", "makedirs"}
# Modules whose `open` takes a path, as the built-in one does; other objects open themselves.
OPENERS = {"", "io", "codecs", "gzip", "bz2", "lzma"}
SQLITE = "sqlite:///"
IN_MEMORY = ":memory:"
_NOTHING = ast.Constant(None)


@dataclass(frozen=True, order=True)
class Write:
    """A place of the code that writes.

    Attributes:
        file, line, column: where it stands.
        path: what it writes, relative to the app's folder; "" where that is not spelt out.
        folder: the folder that has to be writable, relative to it; "." for all of it.

    """

    file: str
    line: int
    column: int
    path: str
    folder: str


def writes(folder: AppFolder, files: Iterable[str]) -> List[Write]:
    """Return what those Python files write into the app's folder, in order."""
    paths = CodePaths(folder)
    return sorted({one for file in files for one in _of_file(folder, paths, file)})


def outermost(found: Iterable[str]) -> Tuple[str, ...]:
    """Return those of some folders that are in no other one, sorted: "data" of "data" and "data/in"."""
    named = {posixpath.normpath(one) for one in found}
    if "." in named:
        return (".",)
    return tuple(sorted(one for one in named if not _parents(one) & named))


def check(found: Iterable[Write]) -> Iterator[Finding]:
    """Yield a finding for each place that writes into the app's folder."""
    for one in found:
        what = f"it writes {f'`{one.path}`' if one.path else 'a file'} into the app's folder"
        fix = "Write into a folder, such as data/, and keep it: `keep: [data]` in classvm.yml"
        if one.folder != ".":
            fix = f"Keep the folder: `keep: [{one.folder}]` in classvm.yml"
        yield Finding(one.file, one.line, one.column, "CV028", what, fix)


def _parents(path: str) -> set[str]:
    parts = path.split("/")
    return {"/".join(parts[:count]) for count in range(1, len(parts))}


def _of_file(folder: AppFolder, paths: CodePaths, file: str) -> Iterator[Write]:
    for node in ast.walk(folder.tree(file)):
        if not isinstance(node, (ast.Call, ast.Constant, ast.JoinedStr, ast.BinOp)):
            continue
        text = _called(paths, node, file) if isinstance(node, ast.Call) else ""
        text = text or _database(paths, node, file)
        path = inside(text) if text and text != IN_MEMORY else None
        if path:
            known = path.partition(UNKNOWN)[0]
            is_folder = isinstance(node, ast.Call) and _name(node) in FOLDER_MAKERS
            home = known if is_folder and known == path else posixpath.dirname(known)
            shown = path if known == path else ""
            yield Write(file, node.lineno, node.col_offset + 1, shown, home or ".")


def _database(paths: CodePaths, node: ast.expr, file: str) -> str:
    """Return the file of a database's address, such as "sqlite:///notes.db"; "" for other texts."""
    first = node
    while isinstance(first, (ast.BinOp, ast.JoinedStr)):
        first = first.left if isinstance(first, ast.BinOp) else next(iter(first.values), _NOTHING)
    if not isinstance(first, ast.Constant) or not str(first.value).startswith(SQLITE):
        return ""
    return paths.text(node, file)[len(SQLITE) :]


def _called(paths: CodePaths, call: ast.Call, file: str) -> str:
    """Return the path that a call writes, in the notation of `code_paths`; "" for none."""
    expression = _opened(call) if _is_open(call) else _argument(call)
    text = paths.text(expression, file) if expression else ""
    is_unknown = text.startswith(UNKNOWN) and _name(call) not in ALWAYS_PATHS
    return "" if is_unknown else text


def _name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _owner(call: ast.Call) -> Tuple[Optional[ast.expr], str]:
    """Return the object on which a call is made and its name: "" for none, "*" for another kind."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return owner, getattr(owner, "id", "*") if owner else ""


def _argument(call: ast.Call) -> Optional[ast.expr]:
    """Return the expression of the path that a call of `CALLS` writes, None for other calls."""
    owner, module = _owner(call)
    name = _name(call)
    if name == "basicConfig":  # of logging
        return next((word.value for word in call.keywords if word.arg == "filename"), None)
    place = CALLS.get((module, name), CALLS.get(("*", name)))
    if not module:  # `from os import makedirs`
        place = next((one for (_, known), one in CALLS.items() if known == name), None)
    if place is None or place == OWN:
        return owner if place == OWN else None
    return next(iter(call.args[place : place + 1]), None)


def _is_open(call: ast.Call) -> bool:
    return _name(call) == "open" and _owner(call)[1] not in ("shelve", "dbm")


def _opened(call: ast.Call) -> Optional[ast.expr]:
    """Return the path of a call of `open` that writes, None for one that reads."""
    owner, module = _owner(call)
    has_path = module in OPENERS  # `path.open("w")` has its mode first
    words = {word.arg: word.value for word in call.keywords}
    mode = words.get("mode", next(iter(call.args[has_path : has_path + 1]), None))
    if not isinstance(mode, ast.Constant) or not set(str(mode.value)) & set("wax+"):
        return None
    return next(iter(call.args[:1]), words.get("file")) if has_path else owner
