"""Find the function behind each operation of a spec, in the parsed files of an app."""

from __future__ import annotations

import ast
import posixpath
import re
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple, Union

from ..contract.document import InputError
from ..contract.references import look_up
from .code import SpecCall
from .findings import Finding, did_you_mean, listed
from .folder import AppFolder
from .located import Located, Path
from .packages import MODULES
from .python37 import STANDARD_LIBRARY
from .spec_words import METHODS

Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]
# Names that connexion fills in when the handler asks for them.
SECURITY_FUNCTION = re.compile(r"x-(apikey|basic|bearer|token)InfoFunc|x-scopeValidateFunc")
OFFERED = {"user", "token_info", "context_", "body", "kwargs"}


class Operation(NamedTuple):
    """An operation of a spec and the name of its handler."""

    path: Path  # of the operation in the document
    url: str
    item: Dict[str, Any]
    node: Dict[str, Any]
    name: str  # operationId with its controller in front, or ""

    @property
    def title(self) -> str:
        """The operation as people call it, such as "GET /sum"."""
        return f"{self.path[-1].upper()} {self.url}"


def operations(spec: Located) -> Iterator[Operation]:
    """Yield the operations of a spec."""
    paths = spec.value.get("paths") if isinstance(spec.value, dict) else None
    for url, item in paths.items() if isinstance(paths, dict) else ():
        for method in METHODS if isinstance(item, dict) else ():
            node = item.get(method)
            if isinstance(node, dict):
                name = str(node.get("operationId") or "")
                controller = _controller(item, node)
                full = f"{controller}.{name}" if controller and name else name
                yield Operation(("paths", url, method), str(url), item, node, full)


def _controller(item: Dict[str, Any], node: Dict[str, Any]) -> str:
    keys = ("x-openapi-router-controller", "x-swagger-router-controller")
    return next((str(part[key]) for part in (node, item) for key in keys if part.get(key)), "")


def check(folder: AppFolder, spec: Located, call: Optional[SpecCall]) -> List[Finding]:
    """Return the findings about the handlers of a spec.

    Args:
        folder: the app's folder.
        spec: the spec.
        call: how the code adds it; None where that is not known.

    """
    found: List[Finding] = []
    seen: Dict[str, int] = {}
    for operation in operations(spec):
        at = (*operation.path, "operationId")
        place = spec.at_value(at)
        if not operation.name:
            if not (call and call.has_resolver):
                what = f"{operation.title} has no operationId"
                fix = "Add `operationId: module.function`"
                found.append(Finding(spec.file, *spec.at_key(operation.path), "CV017", what, fix))
            continue
        if operation.name in seen and not (call and call.has_resolver):
            what = f"`{operation.name}` is already the operationId of line {seen[operation.name]}"
            fix = "Write a function of its own for each operation"
            found.append(Finding(spec.file, *place, "CV014", what, fix))
        if "-" in operation.name and file_of(folder, operation, call):
            what = f"`{operation.name}` names a file with a hyphen"
            fix = "Rename the file: write an underscore"
            found.append(Finding(spec.file, *place, "CV083", what, fix))
        seen.setdefault(operation.name, place[0])
        if not (call and call.has_resolver):
            found += _Search(folder, spec, operation, place, call).findings()
    for operation in security_functions(spec):
        top = operation.name.partition(".")[0]
        if top in MODULES or top in STANDARD_LIBRARY:
            continue
        place = spec.at_value(operation.path)
        found += _Search(folder, spec, operation, place, call).findings(is_called=False)
    return found


def security_functions(spec: Located) -> Iterator[Operation]:
    """Yield the functions that check who asks, each as if it were the handler of an operation."""
    value = spec.value if isinstance(spec.value, dict) else {}
    components = value.get("components")
    homes = {
        ("components", "securitySchemes"): components if isinstance(components, dict) else {},
        ("securityDefinitions",): value,
    }
    for home, holder in homes.items():
        schemes = holder.get(home[-1])
        for name, scheme in schemes.items() if isinstance(schemes, dict) else ():
            for key, function in scheme.items() if isinstance(scheme, dict) else ():
                if SECURITY_FUNCTION.fullmatch(str(key)) and isinstance(function, str):
                    yield Operation((*home, name, key), "", {}, {}, function)


def file_of(folder: AppFolder, operation: Operation, call: Optional[SpecCall]) -> str:
    """Return the file of an operation's handler, "" where there is none."""
    parts = operation.name.split(".")
    found = (module_file(folder, parts[:cut], call) for cut in range(len(parts) - 1, 0, -1))
    return next(filter(None, found), "")


def function_of(
    folder: AppFolder, operation: Operation, call: Optional[SpecCall]
) -> Tuple[str, Optional[ast.FunctionDef]]:
    """Return file and function of an operation's handler, where it is a plain function."""
    file = file_of(folder, operation, call)
    name = operation.name.rpartition(".")[2]
    node = defined(folder.tree(file).body).get(name) if file else None
    return file, node if isinstance(node, ast.FunctionDef) else None


def module_file(folder: AppFolder, parts: List[str], call: Optional[SpecCall]) -> str:
    """Return the file of a module; connexion looks from where the app is started."""
    stem = "/".join(parts)
    roots = {"", posixpath.dirname(call.file) if call else "", *folder.roots}
    for root in sorted(roots):
        for name in (f"{stem}.py", f"{stem}/__init__.py"):
            if folder.has(posixpath.join(root, name)):
                return posixpath.join(root, name)
    return ""


class _Search:
    """Looks for one handler."""

    def __init__(
        self,
        folder: AppFolder,
        spec: Located,
        operation: Operation,
        place: Tuple[int, int],
        call: Optional[SpecCall],
    ) -> None:
        self.folder, self.spec, self.operation = folder, spec, operation
        self.place, self.call = place, call

    def findings(self, *, is_called: bool = True) -> Iterator[Finding]:
        """Yield what keeps the handler from being found and, if parameters are its call, from that."""
        parts = self.operation.name.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            file = module_file(self.folder, parts[:cut], self.call)
            if file and not self._names_no_module(file, parts[cut:]):
                found = self._in_file(file, parts[cut:])
                yield from (one for one in found if is_called or one.code != "CV015")
                return
        yield from self._no_module(parts[:-1])

    def _names_no_module(self, file: str, rest: List[str]) -> bool:
        """Tell whether a package lacks what follows it: a module whose name is misspelt."""
        parsed = self.folder.parsed(file)
        names = defined(parsed.body) if isinstance(parsed, ast.Module) else {"*": None}
        is_package = file.endswith("/__init__.py") and len(rest) > 1
        return is_package and not {"*", rest[0]} & set(names)

    def _no_module(self, parts: List[str]) -> Iterator[Finding]:
        name = self.operation.name
        if not parts:
            what = f"`{name}` names no module"
            fix = f"Write `module.{name}`"
            yield Finding(self.spec.file, *self.place, "CV017", what, fix)
            return
        module = "/".join(parts) + ".py"
        known = self.folder.python_files()
        close = did_you_mean(module, known)
        what = f"there is no {module}, which `{name}` names"
        fix = f"Python files here are {listed(known)}"
        if close:
            fix = f"There is {close}: did you mean `{_module(close)}`?"
        yield Finding(self.spec.file, *self.place, "CV013", what, fix)

    def _in_file(self, file: str, parts: List[str]) -> Iterator[Finding]:
        tree = self.folder.parsed(file)
        if not isinstance(tree, ast.Module):
            return  # reported as a finding of that file
        body: List[ast.stmt] = tree.body
        for number, part in enumerate(parts, start=1):
            names = defined(body)
            if "*" in names:
                return
            if part not in names:
                is_class = number < len(parts)
                yield self._missing(file, part, names, is_class=is_class)
                return
            node = names[part]
            if not isinstance(node, ast.ClassDef):
                break
            body = node.body
        else:
            return
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and len(parts) == 1:
            yield from self._parameters(file, node)

    def _missing(self, file: str, name: str, names: Dict[str, Any], *, is_class: bool) -> Finding:
        kinds = ast.ClassDef if is_class else (ast.FunctionDef, ast.AsyncFunctionDef)
        known = [one for one, node in names.items() if isinstance(node, kinds)]
        what = (
            f"{file} has no {'class' if is_class else 'function'} `{name}`; it has {listed(known)}"
        )
        close = did_you_mean(name, known) or next(
            (one for one in known if one.replace("_", "") == name.replace("_", "")), ""
        )
        begin = f"class {name}:" if is_class else f"def {name}(…):"
        fix = (
            f"Did you mean `{close}`?"
            if close
            else f"Write `{begin}` in {file}, or correct the name"
        )
        return Finding(self.spec.file, *self.place, "CV012", what, fix)

    def _parameters(self, file: str, node: Function) -> Iterator[Finding]:
        if node.decorator_list or node.args.kwarg is not None or (self.call and self.call.pythonic):
            return  # what it takes cannot be seen
        positional = [*node.args.posonlyargs, *node.args.args]
        by_name = zip(node.args.kwonlyargs, node.args.kw_defaults)
        taken = [one.arg for one in (*positional, *node.args.kwonlyargs)]
        needed = positional[: len(positional) - len(node.args.defaults)]
        needed += [one for one, default in by_name if default is None]
        handed = self._handed()
        lacking = {one.arg for one in needed} - OFFERED - handed
        surplus = {_safe(name) for name in self._required()} - set(taken)
        if lacking or surplus:
            what = f"`{node.name}({', '.join(taken)})` does not take what {self.spec.file}:{self._parameters_line()} hands over: {listed(handed) if handed else 'nothing'}"
            fix = "Give both the same names"
            yield Finding(file, node.lineno, node.col_offset + 1, "CV015", what, fix)

    def _parameters_line(self) -> int:
        """Return the line of the first parameter, else that of the operationId."""
        for path in (self.operation.path, self.operation.path[:-1]):
            first = (*path, "parameters", 0)
            if first in self.spec.keys:
                return self.spec.at_key(first)[0]
        return self.place[0]

    def _declared(self) -> Iterator[Dict[str, Any]]:
        for part in (self.operation.item, self.operation.node):
            parameters = part.get("parameters")
            for one in parameters if isinstance(parameters, list) else ():
                found = self._resolved(one)
                if isinstance(found.get("name"), str):
                    yield found

    def _handed(self) -> Set[str]:
        """Return the names that connexion hands over, all of them."""
        flask = re.findall(r"<(?:[a-z]+:)?(\w+)>", self.operation.url)
        names = {str(one["name"]) for one in self._declared() if one.get("in") != "header"}
        names |= {self.call.context} if self.call and self.call.context else set()
        return {_safe(name) for name in (*names, *flask)} | self._body() | self._form_fields()

    def _body(self) -> Set[str]:
        """Return the name by which connexion hands over the body of a request."""
        body = self._resolved(self.operation.node.get("requestBody"))
        if not body:
            return {"body"} if "requestBody" in self.operation.node else set()
        content = body.get("content")
        media = next(iter(content.values()), None) if isinstance(content, dict) else None
        schema = media.get("schema") if isinstance(media, dict) else None
        # Beside a $ref, it stands in the schema itself.
        places = (body, schema if isinstance(schema, dict) else {}, self._resolved(schema))
        name = next((one["x-body-name"] for one in places if one.get("x-body-name")), "body")
        return {_safe(str(name))}

    def _resolved(self, node: Any) -> Dict[str, Any]:  # noqa: ANN401 - a spec holds anything
        """Return an object of the spec, or what its $ref names; {} for what is no object."""
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            try:
                node = look_up(self.spec.value, node["$ref"])
            except InputError:
                return {}
        return node if isinstance(node, dict) else {}

    def _required(self) -> Set[str]:
        """Return the names that a handler has to take: those of the path."""
        flask = re.findall(r"<(?:[a-z]+:)?(\w+)>", self.operation.url)
        return {str(one["name"]) for one in self._declared() if one.get("in") == "path"} | set(
            flask
        )

    def _form_fields(self) -> Set[str]:
        """Return the fields of a form, which connexion hands over one by one."""
        content = self.operation.node.get("requestBody") or {}
        content = content.get("content") if isinstance(content, dict) else None
        fields: Set[str] = set()
        for media in content.values() if isinstance(content, dict) else ():
            schema = media.get("schema") if isinstance(media, dict) else None
            if isinstance(schema, dict) and isinstance(schema.get("properties"), dict):
                fields |= {_safe(str(name)) for name in schema["properties"]}
        return fields


def defined(body: List[ast.stmt]) -> Dict[str, Any]:
    """Return what a module or class defines, by name; "*" for a name that cannot be seen."""
    names: Dict[str, Any] = {}
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names[node.name] = node
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                names.update(
                    {one.id: node for one in ast.walk(target) if isinstance(one, ast.Name)}
                )
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names[node.target.id] = node
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update({one.asname or one.name.partition(".")[0]: node for one in node.names})
        elif isinstance(node, (ast.If, ast.Try, ast.With, ast.For, ast.While)):
            inner = [one for one in ast.iter_child_nodes(node) if isinstance(one, ast.stmt)]
            for handler in getattr(node, "handlers", []):
                inner += handler.body
            names.update(defined(inner))
    return names


def _module(file: str) -> str:
    return re.sub(r"(/__init__)?\.py$", "", file).replace("/", ".")


def _safe(name: str) -> str:
    """Return a parameter as connexion names an argument: without what Python does not allow."""
    return re.sub(r"^[^a-zA-Z_]+", "", re.sub(r"[^0-9a-zA-Z_]", "", name))
