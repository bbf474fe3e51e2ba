"""Find what is wrong in a spec, leaf by leaf, with the line of each."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List

from ..contract.document import InputError
from ..contract.references import look_up
from ..contract.schemas import check_evaluation
from .findings import Finding, did_you_mean, listed
from .located import Located, Path, Place, walk
from .spec_words import METHODS, OBJECTS, PLACES, TYPES, Words

# The versions that connexion 2 takes. Both are texts: YAML reads an unquoted 3.0 as a number.
VERSIONS = {"openapi": re.compile(r"3\.0\.\d(-.+)?"), "swagger": re.compile(r"2\.0")}
STATUS = re.compile(r"[1-5](\d\d|XX)|default")
# Types as Python and other languages call them.
SYNONYMS = {
    "int": "integer", "long": "integer", "float": "number", "double": "number", "decimal": "number",
    "str": "string", "text": "string", "bool": "boolean", "dict": "object", "map": "object",
    "list": "array", "tuple": "array",
}  # fmt: skip
FLASK_PARAMETER = re.compile(r"<(?:[a-z]+:)?(\w+)>")


def version(spec: Located) -> str:
    """Return "3" for OpenAPI 3.0, "2" for Swagger 2.0, "" for anything else."""
    value = spec.value if isinstance(spec.value, dict) else {}
    if str(value.get("openapi", "")).startswith("3."):
        return "3"
    return "2" if str(value.get("swagger", "")).startswith("2") else ""


def check_version(spec: Located) -> Iterator[Finding]:
    """Yield why connexion would refuse the version of a spec that the app serves."""
    if spec.value is None and spec.findings:
        return  # reported already: it could not be read
    value = spec.value if isinstance(spec.value, dict) else {}
    key = next((one for one in VERSIONS if one in value), "")
    if not key:
        what = "the spec has neither `openapi` nor `swagger`, its version"
        yield Finding(spec.file, 0, 0, "CV008", what, "Begin it with `openapi: 3.0.3`")
    elif not isinstance(value[key], str) or not VERSIONS[key].fullmatch(value[key]):
        what = f"`{key}: {str(value[key])[:60]}` is not a version that connexion 2 reads"
        fix = "Write `openapi: 3.0.3`" if key == "openapi" else "Write `swagger: '2.0'`"
        yield Finding(spec.file, *spec.at_value((key,)), "CV006", what, fix)


def check(spec: Located) -> List[Finding]:
    """Return the findings in a spec, in the order of its lines."""
    findings = list(spec.findings)
    if isinstance(spec.value, dict):
        findings += _references(spec)
        if version(spec):
            findings += _Checker(spec).findings()
    return sorted(set(findings))


def _references(spec: Located) -> Iterator[Finding]:
    for path, value in walk(spec.value):
        reference = value.get("$ref") if isinstance(value, dict) else None
        if not isinstance(reference, str):
            continue
        place = spec.at_value((*path, "$ref"))
        if reference.startswith("#") and not reference.startswith("#/"):
            what = f"`{reference}` is no part of this file"
            fix = "Write the path to what is meant, such as `#/components/schemas/…`"
            yield Finding(spec.file, *place, "CV010", what, fix)
            continue
        if "://" not in reference and not reference.startswith("#"):
            what = f"`{reference}` is in another file, and connexion 2 reads only this one"
            fix = "Copy what it names below `components` and refer to `#/components/…`"
            yield Finding(spec.file, *place, "CV009", what, fix)
            continue
        if not reference.startswith("#/"):
            what = f"`{reference}` is outside this file, and is never fetched"
            fix = "Copy what it names below `components` and refer to `#/components/…`"
            yield Finding(spec.file, *place, "CV009", what, fix)
            continue
        try:
            target = look_up(spec.value, reference)
        except InputError:
            target = None
        if not isinstance(target, dict):
            what = f"`{reference}` points to nothing" + (" that has keys" if target else "")
            yield Finding(spec.file, *place, "CV010", what, _other_reference(spec, reference))
    yield from _endless(spec)


def _endless(spec: Located) -> Iterator[Finding]:
    try:
        check_evaluation(spec.value)
    except InputError as error:
        if ("$ref" in str(error) and "nothing" in str(error)) or "not local" in str(error):
            return  # reported already
        fix = "Let each schema contain only smaller ones"
        yield Finding(spec.file, 0, 0, "CV002", str(error), fix)


def _other_reference(spec: Located, reference: str) -> str:
    parent, _, name = reference.rpartition("/")
    try:
        there: Any = look_up(spec.value, parent) if parent != "#" else spec.value
    except InputError:
        return "Correct it, or add what it names"
    close = did_you_mean(name, [str(key) for key in there]) if isinstance(there, dict) else ""
    return f"Did you mean `{parent}/{close}`?" if close else "Correct it, or add what it names"


class _Checker:
    """Walks a spec along the table of `spec_words`."""

    def __init__(self, spec: Located) -> None:
        self.spec = spec
        self.version = version(spec)
        self.objects: Dict[str, Words] = OBJECTS[self.version]
        self.found: List[Finding] = []

    def findings(self) -> List[Finding]:
        self._object("root", self.spec.value, ())
        return self.found

    def _add(self, code: str, place: Place, what: str, fix: str) -> None:
        self.found.append(Finding(self.spec.file, *place, code, what, fix))

    def _visit(self, kind: str, value: Any, path: Path) -> None:  # noqa: ANN401 - YAML holds anything
        if kind.endswith("[]"):
            for index, item in enumerate(value if isinstance(value, list) else ()):
                self._visit(kind[:-2], item, (*path, index))
        elif kind.endswith("{}"):
            for key, item in value.items() if isinstance(value, dict) else ():
                self._visit(kind[:-2], item, (*path, key))
        elif kind == "type":
            self._word(value, TYPES + (("file",) if self.version == "2" else ()), path)
        elif kind == "in":
            self._word(value, PLACES[self.version], path)
        elif kind == "paths":
            self._paths(value, path)
        elif kind == "responses":
            self._responses(value, path)
        elif kind:
            self._object(kind, value, path)

    def _word(self, value: Any, known: Any, path: Path) -> None:  # noqa: ANN401 - YAML holds anything
        if value in known:
            return
        close = did_you_mean(str(value), known) or SYNONYMS.get(str(value).lower(), "")
        what = f"`{path[-1]}: {str(value)[:60]}` is not one of {listed(known)}"
        fix = f"Did you mean `{close}`?" if close else f"Write one of {listed(known)}"
        self._add("CV006", self.spec.at_value(path), what, fix)

    def _object(self, kind: str, value: Any, path: Path) -> None:  # noqa: ANN401 - YAML holds anything
        if kind == "schema" and isinstance(value, bool):
            return  # additionalProperties: false
        name = f"`{path[-1]}`" if path else "the spec"
        if not isinstance(value, dict):
            what = f"{name} is {_a_kind(value)}, where a mapping of keys is needed"
            self._add("CV006", self.spec.at_value(path), what, "Write its keys below it, indented")
            return
        if "$ref" in value:
            return
        words = self.objects[kind]
        for key in words.required:
            if key not in value:
                what = f"{name} has no `{key}`"
                misspelt = did_you_mean(key, [str(one) for one in value if one not in words.keys])
                fix = f"Is `{misspelt}` meant to be `{key}`?" if misspelt else f"Add `{key}`"
                self._add("CV008", self.spec.at_key(path), what, fix)
        if kind == "parameter" and value.get("in") == "path" and value.get("required") is not True:
            what = f"the parameter `{value.get('name')}` is in the path, so it is always required"
            code = "CV006" if "required" in value else "CV008"
            self._add(code, self.spec.at_key((*path, "required")), what, "Write `required: true`")
        for key, item in value.items():
            if key in words.keys:
                self._visit(words.keys[key], item, (*path, key))
            elif not str(key).startswith("x-"):
                self._unknown(kind, str(key), words, (*path, key))

    def _unknown(self, kind: str, key: str, words: Words, path: Path) -> None:
        close = did_you_mean(key, words.keys)
        fix = f"Did you mean `{close}`?" if close else f"Keys here are {listed(words.keys)}"
        what = f"`{key}` is not a key of {_article(kind)}"
        self._add("CV007", self.spec.at_key(path), what, fix)

    def _paths(self, value: Any, path: Path) -> None:  # noqa: ANN401 - YAML holds anything
        for name, item in value.items() if isinstance(value, dict) else ():
            at = (*path, name)
            if str(name).startswith("x-"):
                continue
            if not str(name).startswith("/"):
                what, fix = f"the path `{name}` does not begin with a slash", f"Write `/{name}`"
                self._add("CV006", self.spec.at_key(at), what, fix)
            self._object("pathItem", item, at)
            if isinstance(item, dict):
                self._path_parameters(str(name), item, at)

    def _responses(self, value: Any, path: Path) -> None:  # noqa: ANN401 - YAML holds anything
        if not isinstance(value, dict) or not value:
            what = "`responses` declares no answer"
            self._add("CV008", self.spec.at_key(path), what, "Add one, such as `'200':`")
            return
        for status, response in value.items():
            at = (*path, status)
            if not STATUS.fullmatch(str(status)) and not str(status).startswith("x-"):
                what = f"`{status}` is not a status code"
                self._add(
                    "CV006", self.spec.at_key(at), what, "Write one such as '200', or default"
                )
            self._object("response", response, at)

    def _path_parameters(self, name: str, item: Dict[str, Any], path: Path) -> None:
        flask = FLASK_PARAMETER.findall(name)
        if flask:
            better = FLASK_PARAMETER.sub(r"{\1}", name)
            what = f"`{name}` names its parameters as Flask does"
            fix = (
                f"Write `{better}`, and declare {listed(flask)} under `parameters` with `in: path`"
            )
            self._add("CV011", self.spec.at_key(path), what, fix)
        named = set(re.findall(r"{([^{}]+)}", name))
        for method in METHODS:
            operation = item.get(method)
            if isinstance(operation, dict):
                declared = [*self._in_path(item), *self._in_path(operation)]
                names = {str(one.get("name")) for one in declared}
                self._compare(name, named, names - set(flask), (*path, method))
                self._numbers(name, declared, (*path, method))

    def _in_path(self, node: Dict[str, Any]) -> List[Dict[str, Any]]:
        """Return the path parameters that a path or an operation declares."""
        parameters = node.get("parameters")
        found = [self._resolved(one) for one in parameters] if isinstance(parameters, list) else []
        return [one for one in found if one.get("in") == "path"]

    def _numbers(self, name: str, declared: List[Dict[str, Any]], path: Path) -> None:
        """Connexion 2 with Werkzeug 2.2 takes 3 and 4.5 in one path for 500, or for 0.0."""
        types = [self._resolved(one.get("schema") or one).get("type") for one in declared]
        if types.count("number") > 1:
            what = f"`{name}` has {types.count('number')} parameters with `type: number`"
            fix = "Require `Werkzeug<2.2` and `Flask<2.2`, or move them into the query"
            self._add("CV018", self.spec.at_key(path), what, fix)

    def _resolved(self, node: Any) -> Dict[str, Any]:  # noqa: ANN401 - YAML holds anything
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            try:
                node = look_up(self.spec.value, node["$ref"])
            except InputError:
                return {}
        return node if isinstance(node, dict) else {}

    def _compare(self, name: str, named: set[str], declared: set[str], path: Path) -> None:
        for missing in sorted(named - declared):
            what = f"`{{{missing}}}` in `{name}` is not declared"
            close = did_you_mean(missing, declared)
            fix = (
                f"Is `{close}` meant?" if close else f"Add a parameter `{missing}` with `in: path`"
            )
            self._add("CV016", self.spec.at_key(path), what, fix)
        for unused in sorted(declared - named):
            if named - declared and did_you_mean(unused, named - declared):
                continue  # reported as the undeclared one
            what = f"the parameter `{unused}` is in the path, but `{name}` does not have it"
            self._add("CV016", self.spec.at_key(path), what, f"Write `{{{unused}}}` into the path")


def _a_kind(value: Any) -> str:  # noqa: ANN401 - YAML holds anything
    if value is None:
        return "empty"
    return "a list" if isinstance(value, list) else f"`{str(value)[:40]}`"


def _article(kind: str) -> str:
    word = {
        "root": "spec",
        "pathItem": "path",
        "requestBody": "request body",
        "media": "media type",
    }
    name = word.get(kind, kind)
    return (
        f"an {name}"
        if name[0] in "aeiou" and kind != "info"
        else f"a {name}"
        if kind != "info"
        else "info"
    )
