"""Compare what handlers return with the spec, as far as the code spells it out."""

from __future__ import annotations

import ast
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

from ..contract.document import InputError
from ..contract.references import resolve
from . import handlers
from .code import SpecCall
from .findings import Finding, did_you_mean, listed
from .folder import AppFolder
from .located import Located
from .spec_checks import STATUS

OK = 200
# connexion's status of an answer that is None.
NO_CONTENT = 204
FIRST_ERROR = 400
# The types of JSON whose values a Python expression can be seen to have.
KINDS: Tuple[Tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
)
MAX_DEPTH = 20
# Calls that raise an exception, which is the answer.
ENDS = {"abort", "exit"}


class Answer(NamedTuple):
    """A return statement: its status, its body, and whether the code says so or leaves it open."""

    node: ast.Return
    status: int
    body: ast.expr
    is_literal: bool


def check(folder: AppFolder, spec: Located, call: Optional[SpecCall]) -> Iterator[Finding]:
    """Yield where a handler returns what its operation does not promise."""
    if call and (call.has_resolver or call.has_arguments):
        return
    for operation in handlers.operations(spec):
        file, function = handlers.function_of(folder, operation, call)
        if function is not None and not function.decorator_list:
            for answer in _answers(function):
                yield from _compare(spec, operation, file, answer)
            if _returns_nothing(function):
                yield from _without_body(spec, operation, file, function)


def _own_nodes(function: handlers.Function) -> Iterator[ast.AST]:
    """Yield what a function executes itself, without the functions inside of it."""
    waiting: List[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            continue
        yield node
        waiting.extend(ast.iter_child_nodes(node))


def _answers(function: handlers.Function) -> Iterator[Answer]:
    for node in _own_nodes(function):
        if isinstance(node, ast.Return) and node.value is not None:
            yield _answer(node, node.value)


def _returns_nothing(function: handlers.Function) -> bool:
    """Tell whether a function surely comes to its end and has no answer there."""
    answers = (ast.Yield, ast.YieldFrom, ast.Raise)
    return not any(
        isinstance(node, answers)
        or (isinstance(node, ast.Return) and node.value is not None)
        or (isinstance(node, ast.Call) and _name(node) in ENDS)
        for node in _own_nodes(function)
    )


def _name(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", "") or getattr(call.func, "id", ""))


def _without_body(
    spec: Located, operation: handlers.Operation, file: str, function: handlers.Function
) -> Iterator[Finding]:
    responses = operation.node.get("responses")
    if not isinstance(responses, dict) or _declared(responses, NO_CONTENT) is not None:
        return
    line = spec.at_key((*operation.path, "responses"))[0]
    if any(str(key).startswith("2") for key in responses):
        what = f"{operation.title}: `{function.name}` returns nothing ({spec.file}:{line} promises an answer)"
        fix = "End it with `return` and the answer; what it prints stands in the log only"
        yield Finding(file, function.lineno, function.col_offset + 1, "CV019", what, fix)


def _answer(node: ast.Return, value: ast.expr) -> Answer:
    if isinstance(value, ast.Tuple) and len(value.elts) in (2, 3):
        status = value.elts[1]
        number = status.value if isinstance(status, ast.Constant) else 0
        known = number if isinstance(number, int) else 0
        return Answer(node, known, value.elts[0], is_literal=True)
    return Answer(node, OK, value, is_literal=_kind(value) != "")


def _compare(
    spec: Located, operation: handlers.Operation, file: str, answer: Answer
) -> Iterator[Finding]:
    place = (file, answer.node.lineno, answer.node.col_offset + 1)
    responses = operation.node.get("responses")
    if not isinstance(responses, dict) or not responses or not answer.status:
        return
    declared = _declared(responses, answer.status)
    line = spec.at_key((*operation.path, "responses"))[0]
    if declared is None:
        are_valid = all(STATUS.fullmatch(str(key)) for key in responses)  # else reported already
        if answer.is_literal and answer.status < FIRST_ERROR and are_valid:
            what = f"{operation.title} returns the status {answer.status}, which {spec.file}:{line} does not declare: {listed(map(str, responses))}"
            yield Finding(*place, "CV019", what, "Return a declared status, or declare this one")
        return
    for problem, fix in _problems(spec.value, answer.body, _schema(spec, declared), "the body", 0):
        yield Finding(*place, "CV019", f"{operation.title}: {problem} ({spec.file}:{line})", fix)


def _declared(responses: Dict[Any, Any], status: int) -> Any:  # noqa: ANN401 - YAML holds anything
    """Return the response that is declared for a status, None where there is none."""
    for key, response in responses.items():
        if str(key) in (str(status), f"{status // 100}XX", "default"):
            return response if isinstance(response, dict) else {}
    return None


def _schema(spec: Located, response: Dict[str, Any]) -> Any:  # noqa: ANN401 - YAML holds anything
    """Return the schema of a response's JSON body, None where there is none."""
    response = _resolved(spec.value, response)
    content = response.get("content")
    if isinstance(content, dict):
        media = content.get("application/json") if len(content) == 1 else None
        return media.get("schema") if isinstance(media, dict) else None
    return response.get("schema")


def _problems(
    document: Any,  # noqa: ANN401 - YAML holds anything
    node: ast.expr,
    schema: Any,  # noqa: ANN401 - as above
    name: str,
    depth: int,
) -> Iterator[Tuple[str, str]]:
    """Yield what is wrong with a value, and how to correct it."""
    schema = _resolved(document, schema)
    kind, promised = _kind(node), schema.get("type")
    if depth > MAX_DEPTH or not kind or not isinstance(promised, str):
        return
    if kind != promised and not (kind == "integer" and promised == "number"):
        yield f"{name} is {_article(kind)}, promised is {_article(promised)}", "Correct one of them"
        return
    if isinstance(node, ast.Dict):
        yield from _keys(document, node, schema, name, depth)
    elif isinstance(node, ast.List) and schema.get("items"):
        for number, item in enumerate(node.elts):
            yield from _problems(
                document, item, schema["items"], f"item {number} of {name}", depth + 1
            )


def _keys(
    document: Any,  # noqa: ANN401 - YAML holds anything
    node: ast.Dict,
    schema: Dict[str, Any],
    name: str,
    depth: int,
) -> Iterator[Tuple[str, str]]:
    values = {
        key.value: value
        for key, value in zip(node.keys, node.values)
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
    properties = schema.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    required = schema.get("required")
    for key in required if isinstance(required, list) and len(values) == len(node.keys) else ():
        if key not in values:
            close = did_you_mean(str(key), [one for one in values if one not in properties])
            fix = f"Is `{close}` meant to be `{key}`?" if close else f"Add `{key}`"
            yield f"{name} has no `{key}`", fix
    for key, value in values.items():
        if key in properties:
            yield from _problems(document, value, properties[key], f"`{key}`", depth + 1)


def _resolved(document: Any, node: Any) -> Dict[str, Any]:  # noqa: ANN401 - YAML holds anything
    try:
        return resolve(document, node)
    except InputError:
        return {}


def _kind(node: ast.expr) -> str:
    """Return the type of JSON that an expression surely has, "" where the code does not say."""
    if isinstance(node, ast.Constant):
        return next((kind for type_, kind in KINDS if isinstance(node.value, type_)), "")
    if isinstance(node, ast.Dict):
        return "object"
    if isinstance(node, (ast.List, ast.ListComp)):
        return "array"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return "string" if _kind(node.left) == "string" else ""
    return "string" if isinstance(node, ast.JoinedStr) else ""


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
