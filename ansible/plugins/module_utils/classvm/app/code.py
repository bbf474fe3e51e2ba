"""What an app's Python code says about its start: apps, specs, ports. Parsed, never imported."""

from __future__ import annotations

import ast
import posixpath
from dataclasses import dataclass
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

from .folder import AppFolder

CONNEXION = {"App", "FlaskApp", "AioHttpApp", "AsyncApp"}
# How the name of an app object ends that another file makes.
APP_NAMES = ("app", "application", "api")
# How functions are called that make the app.
FACTORIES = ("create_app", "make_app", "build", "build_app", "get_app")
# The longest path of Linux.
MAX_TEXT_LENGTH = 4096
# The names by which people look for the program to start.
ENTRY_NAMES = ("server", "app", "service", "main", "__main__", "run", "wsgi", "api", "application")


@dataclass(frozen=True)
class SpecCall:
    """A call of `add_api`: which spec it names, and where the handlers are looked for.

    Attributes:
        file, line: where the call stands.
        spec: path in the app's folder, "" where it is worked out at run time.
        base_path: its argument, or "".
        has_resolver: whether handlers need no operationId.
        has_arguments: whether the spec is a template with arguments.
        pythonic: whether parameter names are changed to snake case.
        context: the name by which handlers get the request, or "".

    """

    file: str
    line: int
    spec: str
    base_path: str
    has_resolver: bool
    has_arguments: bool
    pythonic: bool
    context: str = ""


@dataclass(frozen=True)
class Start:
    """A call that starts a server.

    Attributes:
        file, line: where it stands.
        host: the address that it listens on.
        port: its port, 0 where it is worked out at run time.
        debug: whether debug mode is on.
        at_import: whether an import of the file is enough to start it.

    """

    file: str
    line: int
    host: str
    port: int
    debug: bool
    at_import: bool


@dataclass(frozen=True)
class Code:
    """What the Python files of an app say about its start.

    Attributes:
        apps: the file of each app object and the line where it is made.
        specs: the calls of `add_api`.
        starts: the calls that start a server.

    """

    apps: Tuple[Tuple[str, int], ...]
    specs: Tuple[SpecCall, ...]
    starts: Tuple[Start, ...]


def read(folder: AppFolder) -> Code:
    """Read the Python files of an app."""
    apps: List[Tuple[str, int]] = []
    specs: List[SpecCall] = []
    starts: List[Start] = []
    for file in folder.python_files():
        reader = _Reader(file, folder.tree(file))
        apps += reader.apps
        specs += reader.specs
        starts += reader.starts
    return Code(tuple(apps), tuple(specs), tuple(starts))


class _Reader:
    """Reads one file."""

    def __init__(self, file: str, tree: ast.Module) -> None:
        self.file = file
        self.texts: Dict[str, str] = {}  # of the names that the module sets on its top level
        self.numbers: Dict[str, int] = {}
        self._read_constants(tree)
        self.made: Dict[str, ast.Call] = {}  # app objects, by variable
        self.apps: List[Tuple[str, int]] = []
        self.specs: List[SpecCall] = []
        self.starts: List[Start] = []
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        self.frameworks = _frameworks(tree)
        for node in ast.walk(tree):
            value = getattr(node, "value", None)
            if isinstance(value, ast.Call):
                self._made(_targets(node), value)
        for call in calls:
            if self._kind(call):
                self.apps.append((file, call.lineno))
        at_import = set(map(id, run_at_import(tree)))
        for call in calls:
            self._called(call, at_import=id(call) in at_import)

    def _read_constants(self, tree: ast.Module) -> None:
        """Read the values of names in their order: in `port = int(port)` the second is the first."""
        for node in tree.body:
            if not isinstance(node, (ast.Assign, ast.AnnAssign)):
                continue
            text, number = self._text(node.value), self._number(node.value)
            for name in filter(None, map(_name, _targets(node))):
                self.texts[name] = text if len(text) <= MAX_TEXT_LENGTH else ""
                self.numbers[name] = number

    def _made(self, targets: List[ast.expr], call: ast.Call) -> None:
        for target in targets:
            if isinstance(target, ast.Name) and self._kind(call):
                self.made[target.id] = call

    def _kind(self, call: ast.Call) -> str:
        """Return "connexion" or "flask" for a call that makes an app, else ""."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else _name(call.func)
        owner = _name(call.func.value) if isinstance(call.func, ast.Attribute) else ""
        if name in CONNEXION and (owner or name) in self.frameworks:
            return "connexion"
        return "flask" if name == "Flask" and (owner or name) in self.frameworks else ""

    def _called(self, call: ast.Call, *, at_import: bool) -> None:
        if not isinstance(call.func, ast.Attribute):
            return
        if call.func.attr == "add_api":
            self.specs.append(self._spec(call))
        maker = self._maker(call.func.value)
        if call.func.attr == "run" and maker is not None:
            self.starts.append(self._start(call, maker, at_import=at_import))

    def _maker(self, owner: ast.expr) -> Optional[ast.Call]:
        """Return the call that made the app whose method is called, as far as it can be seen."""
        if isinstance(owner, ast.Name) and owner.id in self.made:
            return self.made[owner.id]
        # `build().run(…)`, `app.app.run(…)`, an app imported from another file.
        root = owner.func if isinstance(owner, ast.Call) else owner
        name = _name(root.value if isinstance(root, ast.Attribute) else root)
        if self.made:
            return next(iter(self.made.values())) if name else None
        is_app = name.lower().endswith(APP_NAMES)
        return ast.Call(func=ast.Name(id="Flask"), args=[], keywords=[]) if is_app else None

    def _spec(self, call: ast.Call) -> SpecCall:
        words = _keywords(call)
        named = self._text(call.args[0] if call.args else words.get("specification"))
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        maker = self.made.get(_name(owner)) or next(iter(self.made.values()), None)
        folder = self._text(_keywords(maker).get("specification_dir")) if maker else ""
        path = posixpath.join(posixpath.dirname(self.file), folder or "", named or "")
        return SpecCall(
            file=self.file,
            line=call.lineno,
            spec=posixpath.normpath(path) if named else "",
            base_path=self._text(words.get("base_path")) or "",
            has_resolver="resolver" in words,
            has_arguments="arguments" in words or bool(maker and "arguments" in _keywords(maker)),
            pythonic=_is_true(words.get("pythonic_params")),
            context=self._text(words.get("pass_context_arg_name")),
        )

    def _start(self, call: ast.Call, maker: ast.Call, *, at_import: bool) -> Start:
        is_flask = _name(maker.func) == "Flask" or getattr(maker.func, "attr", "") == "Flask"
        words, made = _keywords(call), _keywords(maker)
        positional = call.args if not is_flask else call.args[1:2]
        port = words.get("port") or next(iter(positional), None) or made.get("port")
        host = (
            words.get("host")
            or made.get("host")
            or (call.args[0] if is_flask and call.args else None)
        )
        return Start(
            file=self.file,
            line=call.lineno,
            host=self._text(host) or ("127.0.0.1" if is_flask and host is None else "0.0.0.0"),  # noqa: S104 - what the app does
            port=5000 if port is None else self._number(port),
            debug=_is_true(words.get("debug")),
            at_import=at_import,
        )

    def _text(self, node: Optional[ast.AST]) -> str:
        """Return a text that the code spells out: a literal, a constant, the end of a joined path."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        if isinstance(node, ast.Name):
            return self.texts.get(node.id, "")
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "join":
            parts = [self._text(part) for part in node.args]
            return posixpath.join(*parts) if parts else ""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):  # of a pathlib.Path
            return posixpath.join(self._text(node.left), self._text(node.right))
        return ""

    def _number(self, node: Optional[ast.AST]) -> int:
        """Return a number that the code spells out, the default of `os.environ.get` included."""
        if isinstance(node, ast.Constant):
            text = str(node.value)
            return int(text) if text.isdecimal() and len(text) < 6 else 0  # noqa: PLR2004 - ports have five
        if isinstance(node, ast.Name):
            return self.numbers.get(node.id, 0)
        if isinstance(node, ast.Call):
            return next((number for number in map(self._number, reversed(node.args)) if number), 0)
        if isinstance(node, ast.BoolOp):
            return next((number for number in map(self._number, node.values) if number), 0)
        return 0


def _frameworks(tree: ast.Module) -> Dict[str, str]:
    """Return the names by which a file knows connexion and flask and what it imports of them."""
    names: Dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                names[one.asname or one.name.partition(".")[0]] = one.name
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in (
            "connexion",
            "flask",
        ):
            names.update({one.asname or one.name: str(node.module) for one in node.names})
    return names


def run_at_import(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what an import executes: all but functions, and what is under `__main__`."""
    waiting: List[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) or _is_guard(node):
            continue
        yield node
        waiting.extend(ast.iter_child_nodes(node))


def makes_aiohttp_app(folder: AppFolder, files: Iterable[str]) -> bool:
    """Tell whether files make connexion's app for aiohttp, which serves by itself."""
    nodes = (node for file in files for node in ast.walk(folder.tree(file)))
    return any(isinstance(node, ast.Attribute) and node.attr == "AioHttpApp" for node in nodes)


def is_program(tree: ast.Module) -> bool:
    """Tell whether a file does something when it is run: under `__main__`, or by calls at its top."""
    return any(
        _is_guard(node) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
        for node in tree.body
    )


def app_names(tree: ast.Module) -> List[str]:
    """Return the names on a file's top level that are made by a call, or imported, and sound like an app."""
    names: List[str] = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            names += [one.asname or one.name for one in node.names]
        elif isinstance(getattr(node, "value", None), (ast.Call, ast.Attribute)):
            names += filter(None, map(_name, _targets(node)))
    return [name for name in names if name.lower().endswith(APP_NAMES[:2])]


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the modules that a file imports from elsewhere, with dots, wherever it does so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


def _is_guard(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and any(
        isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test)
    )


def _targets(node: ast.AST) -> List[ast.expr]:
    """Return what an assignment sets, with or without an annotation."""
    if isinstance(node, ast.AnnAssign):
        return [node.target]
    return node.targets if isinstance(node, ast.Assign) else []


def _keywords(call: Optional[ast.Call]) -> Dict[str, ast.expr]:
    return {word.arg: word.value for word in call.keywords if word.arg} if call else {}


def _name(node: Optional[ast.AST]) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _is_true(node: Optional[ast.AST]) -> bool:
    return isinstance(node, ast.Constant) and node.value is True
