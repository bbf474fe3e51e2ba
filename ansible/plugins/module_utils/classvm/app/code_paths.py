"""Work out the paths that Python code spells out, without running it: `join(dirname(__file__), "a")`."""

from __future__ import annotations

import ast
import posixpath
from typing import Callable, Dict, List, Optional, Tuple

from . import python_checks
from .folder import AppFolder

# Stands for what is only known at run time; no file name holds it.
UNKNOWN = "\0"
# Stands for the app's folder, wherever the container has it.
APP = "/\1app"
# More than any path takes; names that refer to each other have no end.
MAX_DEPTH, MAX_STEPS = 20, 500


class CodePaths:
    """The paths in the code of an app, in Linux's notation.

    Names are followed to where they are set, in the same file or in the one that they come from.
    """

    def __init__(self, folder: AppFolder) -> None:
        self._folder = folder
        self._names: Dict[str, Dict[str, ast.expr]] = {}
        self._origins: Dict[str, Dict[str, Tuple[str, str]]] = {}
        self._depth = self._steps = 0

    def text(self, node: Optional[ast.AST], file: str) -> str:
        """Return the text that an expression means, `UNKNOWN` for each part that is not spelt out.

        Args:
            node: the expression.
            file: the Python file in which it stands.

        """
        self._steps = self._steps + 1 if self._depth else 0
        # As in ast.NodeVisitor, the kind of a node names the method.
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None or self._depth > MAX_DEPTH or self._steps > MAX_STEPS:
            return UNKNOWN
        self._depth += 1
        try:
            return str(method(node, file))
        finally:
            self._depth -= 1

    def _constant(self, node: ast.Constant, _: str) -> str:
        return node.value if isinstance(node.value, str) else UNKNOWN

    def _name(self, node: ast.Name, file: str) -> str:
        return self._named(node.id, file)

    def _attribute(self, node: ast.Attribute, file: str) -> str:
        if node.attr == "parent":
            return posixpath.dirname(self.text(node.value, file))
        origins = self._names_and_origins(file)[1]
        origin, _ = origins.get(getattr(node.value, "id", ""), (file, ""))
        return self._named(node.attr, origin)

    def _subscript(self, node: ast.Subscript, file: str) -> str:
        return self._named(_key(node), file)

    def _binop(self, node: ast.BinOp, file: str) -> str:
        left, right = self.text(node.left, file), self.text(node.right, file)
        if isinstance(node.op, ast.Div):
            return posixpath.join(left, right)
        return left + right if isinstance(node.op, ast.Add) else UNKNOWN

    def _joinedstr(self, node: ast.JoinedStr, file: str) -> str:
        return "".join(self.text(part, file) for part in node.values)

    def _formattedvalue(self, node: ast.FormattedValue, file: str) -> str:
        return self.text(node.value, file)

    def _call(self, node: ast.Call, file: str) -> str:
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        parts = [self.text(argument, file) for argument in node.args]
        own = self.text(function.value, file) if isinstance(function, ast.Attribute) else UNKNOWN
        return CALLS[name](own, parts) if name in CALLS else UNKNOWN

    def _named(self, name: str, file: str) -> str:
        if name == "__file__":
            return f"{APP}/{file}"
        names, origins = self._names_and_origins(file)
        if name in names:
            return self.text(names[name], file)
        origin, there = origins.get(name, (file, ""))
        return self._named(there, origin) if origin != file else UNKNOWN

    def _names_and_origins(
        self, file: str
    ) -> Tuple[Dict[str, ast.expr], Dict[str, Tuple[str, str]]]:
        """Return the expressions of the names and constant keys that a file sets, and its imports."""
        if file not in self._names:
            self._names[file], self._origins[file] = {}, {}
            for node in ast.walk(self._folder.tree(file)):
                self._learn(node, file)
        return self._names[file], self._origins[file]

    def _learn(self, node: ast.AST, file: str) -> None:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                name = _key(target) or getattr(target, "id", getattr(target, "attr", ""))
                self._names[file].setdefault(name, node.value)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self._origins[file].update(python_checks.origins(self._folder, file, node))


def inside(path: str) -> Optional[str]:
    """Return a path of the code relative to the app's folder, None where it is outside of it.

    Args:
        path: for example "data/notes.db" or f"{APP}/data" or "/tmp/x"; the code is run in the app's folder.

    """
    normal = posixpath.normpath(path or ".")
    if normal == APP or normal.startswith(f"{APP}/"):
        normal = normal[len(APP) + 1 :] or "."
    return None if normal.startswith(("/", "..")) else normal


def _first(own: str, parts: List[str]) -> str:
    return parts[0] if parts else own


def _default(_: str, parts: List[str]) -> str:
    return parts[1] if len(parts) > 1 else UNKNOWN


# What a call gives, from the path of the object on which it is made, and the arguments.
CALLS: Dict[str, Callable[[str, List[str]], str]] = {
    "getcwd": lambda _, __: APP,
    "cwd": lambda _, __: APP,
    "gettempdir": lambda _, __: "/tmp",  # noqa: S108 - what the app does
    "mkdtemp": lambda _, __: "/tmp",  # noqa: S108 - what the app does
    "join": lambda _, parts: posixpath.join("", *parts),
    "Path": lambda _, parts: posixpath.join("", *parts),
    "joinpath": lambda own, parts: posixpath.join(own, *parts),
    "dirname": lambda _, parts: posixpath.dirname("".join(parts[:1])),
    # Of the environment, or of a dictionary.
    "get": _default,
    "getenv": _default,
    # A path stays what it is.
    **dict.fromkeys(
        ("abspath", "realpath", "normpath", "expanduser", "resolve", "absolute", "str"), _first
    ),
}


def _key(node: ast.AST) -> str:
    """Return the text between the brackets of `config["DATA"]`, with brackets; "" for others."""
    if not isinstance(node, ast.Subscript):
        return ""
    # Before Python 3.9, there is another node around that of the key.
    inner = getattr(node.slice, "value", None)
    value = inner.value if isinstance(inner, ast.Constant) else inner
    return f"[{value}]" if isinstance(value, str) else ""
