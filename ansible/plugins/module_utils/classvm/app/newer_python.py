"""Find in an app's code what Python 3.7 does not have: syntax, operators, names of the standard library."""

from __future__ import annotations

import ast
import re
from typing import Iterable, Iterator, List, Set, Tuple

from . import imports
from .findings import Finding

HERE = (3, 7)
FIX = "Write it as Python 3.7 does"
# The classes that can be asked for their items, such as `list[int]`, from 3.9 on.
GENERICS = {"list", "dict", "set", "frozenset", "tuple", "type"}
_NAMES = {
    "3.8": "importlib.metadata functools.cached_property functools.singledispatchmethod typing.Literal"
    " typing.TypedDict typing.Final typing.final typing.Protocol typing.runtime_checkable typing.get_args"
    " typing.get_origin math.prod math.dist math.comb math.perm math.isqrt statistics.fmean"
    " statistics.geometric_mean statistics.multimode statistics.quantiles statistics.NormalDist shlex.join",
    "3.9": "zoneinfo graphlib functools.cache typing.Annotated math.lcm math.nextafter math.ulp"
    " asyncio.to_thread ast.unparse random.randbytes",
    "3.10": "itertools.pairwise typing.TypeAlias typing.ParamSpec typing.TypeGuard bisect.key",
    "3.11": "tomllib datetime.UTC enum.StrEnum typing.Self typing.NotRequired typing.assert_never"
    " contextlib.chdir math.cbrt math.exp2",
    "3.12": "itertools.batched typing.override",
}
# The version of Python that brought each module, and each name of one.
NAMES = {name: version for version, names in _NAMES.items() for name in names.split()}
METHODS = {"removeprefix": "3.9", "removesuffix": "3.9"}
# `{x=}`, the expression with its text, in the source of an f-string.
WITH_ITS_TEXT = re.compile(r"{[^{}]*[^=!<>{}]=\s*(![rsa])?(:[^{}]*)?}")


def check(file: str, tree: ast.Module, source: str) -> Iterator[Finding]:
    """Yield what a file needs a newer Python for.

    Args:
        file: its path.
        tree: what was parsed of it.
        source: its text.

    """
    search = _Search(tree, source)
    found = dict(search.found())
    if not found:
        found = dict(_grammar(source))
    for (line, column), what in sorted(found.items()):
        yield Finding(file, line, column, "CV021", what, FIX)


Place = Tuple[int, int]


def _grammar(source: str) -> Iterator[Tuple[Place, str]]:
    """Yield the first thing that the grammar of 3.7 lacks, as far as today's Python knows that."""
    try:
        ast.parse(source, feature_version=HERE)
    except SyntaxError as error:
        newer = re.search(r"(.+) (?:is|are) only supported in Python (3\.\d+)", error.msg or "")
        if newer:
            yield (
                (error.lineno or 1, 1),
                f"{newer[1][0].lower()}{newer[1][1:]} came with Python {newer[2]}",
            )
    except (ValueError, RecursionError, MemoryError):
        return


class _Search:
    """Looks through one file."""

    def __init__(self, tree: ast.Module, source: str) -> None:
        self.tree, self.lines = tree, source.splitlines()
        nodes = list(ast.walk(tree))
        self.bound = {one.id for one in nodes if isinstance(one, ast.Name) and _is_set(one)}
        self.bound |= {one.arg for one in nodes if isinstance(one, ast.arg)}
        self.annotations = _ids(_annotations(nodes))
        self.unread = self._unread(nodes)
        self.modules = {
            one.asname or one.name: one.name
            for node in nodes
            if isinstance(node, ast.Import)
            for one in node.names
        }

    def found(self) -> Iterator[Tuple[Place, str]]:
        for node in imports.needed(self.tree):
            what = "" if id(node) in self.unread else self._what(node)
            if what:
                shown = node.posonlyargs[0] if isinstance(node, ast.arguments) else node
                yield (getattr(shown, "lineno", 1), getattr(shown, "col_offset", 0) + 1), what

    def _unread(self, nodes: List[ast.AST]) -> Set[int]:
        """Return the nodes that Python does not evaluate: annotations, branches of another version."""
        is_late = any(
            isinstance(node, ast.ImportFrom)
            and node.module == "__future__"
            and any(one.name == "annotations" for one in node.names)
            for node in self.tree.body
        )
        functions = [
            one for one in nodes if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))
        ]
        inside = [
            node.annotation
            for function in functions
            for node in ast.walk(function)
            if isinstance(node, ast.AnnAssign) and not isinstance(node.target, ast.Attribute)
        ]
        # Who asks for the version has both ways.
        asking = [one for one in nodes if isinstance(one, ast.If) and _asks(one.test)]
        return (self.annotations if is_late else _ids(inside)) | _ids(asking)

    def _what(self, node: ast.AST) -> str:
        kind = {"NamedExpr": "`:=` is Python 3.8", "Match": "`match` is Python 3.10"}
        kind["TryStar"] = "`except*` is Python 3.11"
        if type(node).__name__ in kind:
            return kind[type(node).__name__]
        if isinstance(node, ast.arguments):
            return "`/` among the parameters is Python 3.8" if node.posonlyargs else ""
        if isinstance(node, ast.JoinedStr):
            return "`{…=}` in an f-string is Python 3.8" if self._has_its_text(node) else ""
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            name = node.value.id
            is_generic = name in GENERICS - self.bound and not _is_set(node)
            return (
                f"`{name}[…]` is Python 3.9: here it is `typing.{name.title()}`"
                if is_generic
                else ""
            )
        if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.BitOr):
            return self._bar(node)
        return self._name(node)

    def _bar(self, node: ast.BinOp | ast.AugAssign) -> str:
        sides = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.value]
        if any(isinstance(one, (ast.Dict, ast.DictComp)) for one in sides):
            return "`|` between dictionaries is Python 3.9: here it is `{**a, **b}`"
        if id(node) in self.annotations:
            return (
                "`|` between types is Python 3.10: here it is `typing.Union` or `typing.Optional`"
            )
        return ""

    def _name(self, node: ast.AST) -> str:
        """Return what a name of the standard library needs, "" for none."""
        names: List[str] = []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [str(node.module), *(f"{node.module}.{one.name}" for one in node.names)]
        elif isinstance(node, ast.Attribute):
            if node.attr in METHODS:
                return f"`.{node.attr}()` is Python {METHODS[node.attr]}"
            names = [f"{self.modules.get(getattr(node.value, 'id', ''), '')}.{node.attr}"]
        found = next((name for name in names if name in NAMES), "")
        return f"`{found}` is Python {NAMES[found]}" if found else ""

    def _has_its_text(self, node: ast.JoinedStr) -> bool:
        """Tell whether an f-string shows an expression with its text; the tree alone does not tell it."""
        pairs = zip(node.values, node.values[1:])
        likely = any(
            isinstance(one, ast.Constant)
            and str(one.value).rstrip().endswith("=")
            and isinstance(two, ast.FormattedValue)
            for one, two in pairs
        )
        lines = self.lines[node.lineno - 1 : node.end_lineno]
        return likely and WITH_ITS_TEXT.search("\n".join(lines).replace("{{", "")) is not None


def _is_set(node: ast.AST) -> bool:
    return isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del))


def _asks(test: ast.expr) -> bool:
    return any(getattr(node, "attr", "") == "version_info" for node in ast.walk(test))


def _annotations(nodes: List[ast.AST]) -> Iterator[ast.AST]:
    for node in nodes:
        for name in ("annotation", "returns"):
            inside = getattr(node, name, None)
            if isinstance(inside, ast.AST):
                yield inside


def _ids(nodes: Iterable[ast.AST]) -> Set[int]:
    """Return the identities of nodes and of all that is inside of them."""
    return {id(inner) for node in nodes for inner in ast.walk(node)}
