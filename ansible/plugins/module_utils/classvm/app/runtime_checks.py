"""Find what works on a laptop and surprises in a container: names of users, slow starts, lost data."""

from __future__ import annotations

import ast
import re
from typing import Collection, Iterator, List, Optional, Set, Tuple

from .code import run_at_import
from .findings import Finding
from .folder import AppFolder

USER_NAMES = {("getpass", "getuser"), ("os", "getlogin")}
LAPTOP_PATH = re.compile(r"[A-Za-z]:(\\\\|\\|/)(?!/)\S|/(Users|home)/[\w.-]+/")
TRAINING = {"fit", "fit_transform", "fit_predict"}
# Seconds of a `time.sleep` that a person would notice.
LONG_SLEEP = 2
CONTAINERS = {"list", "dict", "set", "defaultdict", "OrderedDict", "Counter", "deque"}
CHANGES = {
    "append", "extend", "insert", "add", "update", "setdefault", "pop", "popitem", "remove",
    "discard", "clear", "appendleft",
}  # fmt: skip


def check(folder: AppFolder, files: Collection[str], program: str) -> List[Finding]:
    """Return the findings in those Python files that the app uses.

    Args:
        folder: the app's folder.
        files: the files.
        program: the one that is started, which may well be a loop.

    """
    found: List[Finding] = []
    for file in files:
        tree = folder.tree(file)
        found += _user_names(file, tree)
        found += _slow_start(file, tree)
        found += _waits_for_a_person(file, tree)
        found += _endless(file, tree) if file != program else ()
        found += _in_memory(file, tree)
        found += _laptop_paths(file, tree)
    return found


def _user_names(file: str, tree: ast.Module) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in USER_NAMES:
            what = f"`{'.'.join(_called(node))}()` asks for the name of the user"
            fix = "Do without the name, or take it from a setting of the app"
            yield Finding(file, node.lineno, node.col_offset + 1, "CV080", what, fix)


def _laptop_paths(file: str, tree: ast.Module) -> Iterator[Finding]:
    """Yield the paths that begin with a drive, or with the home of a person."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and LAPTOP_PATH.match(str(node.value)):
            what = f"`{str(node.value)[:60]}` is a path of another computer"
            fix = "Copy the file into the app's folder, and name it relative to that"
            yield Finding(file, node.lineno, node.col_offset + 1, "CV084", what, fix)


def _slow_start(file: str, tree: ast.Module) -> Iterator[Finding]:
    for node in sorted(_calls_at_import(tree), key=lambda one: one.lineno):
        owner, name = _called(node)
        if name in TRAINING:
            what = "a model is trained each time the app starts"
            fix = "Keep the trained model in a file and read that"
            yield Finding(file, node.lineno, node.col_offset + 1, "CV081", what, fix)
        elif name == "sleep" and owner in ("time", "") and _first_number(node) >= LONG_SLEEP:
            what = f"the start waits for {_first_number(node):g} seconds"
            yield Finding(file, node.lineno, node.col_offset + 1, "CV081", what, "Remove it")


def _waits_for_a_person(file: str, tree: ast.Module) -> Iterator[Finding]:
    for node in _calls_at_import(tree):
        if _called(node) == ("", "input"):
            what = "`input()` waits for a keyboard"
            fix = "Take the value from a request, or write it into the code"
            yield Finding(file, node.lineno, node.col_offset + 1, "CV088", what, fix)


def _endless(file: str, tree: ast.Module) -> Iterator[Finding]:
    for node in run_at_import(tree):
        if isinstance(node, ast.While) and _is_endless(node):
            what = "this loop never ends, and nothing after it runs"
            fix = "Put it into a function, or give it an end"
            yield Finding(file, node.lineno, node.col_offset + 1, "CV088", what, fix)


def _is_endless(loop: ast.While) -> bool:
    is_always = isinstance(loop.test, ast.Constant) and bool(loop.test.value)
    inside = [node for one in loop.body for node in ast.walk(one)]
    return is_always and not any(isinstance(node, (ast.Break, ast.Raise)) for node in inside)


def _calls_at_import(tree: ast.Module) -> List[ast.Call]:
    return [node for node in run_at_import(tree) if isinstance(node, ast.Call)]


def _in_memory(file: str, tree: ast.Module) -> Iterator[Finding]:
    """Yield the lists and mappings outside of functions that a function changes."""
    changed = {name for function in _functions(tree) for name in _changed(function)}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for target in targets if _is_container(getattr(node, "value", None)) else ():
            if isinstance(target, ast.Name) and target.id in changed:
                what = f"`{target.id}` lives in the memory of one process"
                fix = "Keep it in a file (SQLite) if it has to outlive a deploy"
                yield Finding(file, node.lineno, node.col_offset + 1, "CV082", what, fix)
                changed.discard(target.id)


def _is_container(node: Optional[ast.AST]) -> bool:
    if isinstance(node, ast.Call):
        return _called(node)[1] in CONTAINERS
    return isinstance(node, (ast.List, ast.Dict, ast.Set))


def _functions(tree: ast.Module) -> Iterator[ast.AST]:
    return (
        node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    )


def _changed(function: ast.AST) -> Set[str]:
    """Return the names of outer lists and mappings that a function changes."""
    changed: Set[str] = set()
    own: Set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            own.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
        elif isinstance(node, ast.Call) and _called(node)[1] in CHANGES:
            changed.add(_called(node)[0])
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            changed.add(node.value.id if isinstance(node.value, ast.Name) else "")
    return changed - own


def _called(call: ast.Call) -> Tuple[str, str]:
    """Return owner and name of what is called: ("os", "getlogin"); "" for what has no plain name."""
    if isinstance(call.func, ast.Attribute):
        owner = call.func.value
        return owner.id if isinstance(owner, ast.Name) else "", call.func.attr
    return "", call.func.id if isinstance(call.func, ast.Name) else ""


def _first_number(call: ast.Call) -> float:
    value = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else 0
    return float(value) if isinstance(value, (int, float)) else 0.0
