"""Answer right requests on a fast path, which is prepared once at start.

For each request, connexion copies all of it, finds out which arguments the handler takes,
and writes the answer twice: five times the work of Flask itself (measured). Here, what is
the same for each request is done at start. Requests and answers are still checked against
``master.yml``: single values with tests of our own, all else with connexion's validators.
Whatever is not surely right is handed to connexion, which decides and explains.
"""

from __future__ import annotations

import json
from typing import Any, Callable

import connexion
import flask
from connexion.apis.flask_utils import flaskify_endpoint
from connexion.decorators.parameter import inspect_function_arguments, sanitized
from connexion.decorators.validation import (
    TypeValidationError,
    coerce_type,
    draft4_format_checker,
)
from connexion.json_schema import Draft4ResponseValidator
from connexion.utils import is_json_mimetype, is_nullable
from flask.globals import request_ctx

from src import patterns, simple_values, validation

Handler = Callable[..., Any]
View = Callable[..., flask.Response]

# The types of parameters that have one value each, without commas or brackets in it.
SINGLE_VALUES = ("string", "integer", "number", "boolean")

# What a handler returns to be answered as JSON with status 200.
JSON_VALUES = (dict, list, str, int, float)

# JSON gives these back as they are. They have nothing to indent or to escape: no setting of Flask
# changes how they are written.
SAME_IN_JSON = (int, float)


class Resolver(connexion.Resolver):  # type: ignore[misc] # connexion ships no types
    """Finds the handlers that ``master.yml`` names, and remembers them with their operations."""

    def __init__(self) -> None:
        super().__init__()
        self.resolved: list[tuple[Any, Handler]] = []

    def resolve(self, operation: Any) -> Any:  # noqa: ANN401 - connexion's
        """Find the handler of an operation, as connexion does."""
        resolution = super().resolve(operation)
        self.resolved.append((operation, resolution.function))
        return resolution


def register(app: flask.Flask, resolver: Resolver) -> None:
    """Put the fast path before connexion's own, for each operation that allows it."""
    for operation, handler in resolver.resolved:
        if is_simple(operation, handler):
            name = view_name(operation)
            app.view_functions[name] = FastPath(operation, handler, app.view_functions[name])


def view_name(operation: Any) -> str:  # noqa: ANN401 - connexion's
    """Return the name that connexion and Flask give to the view of an operation."""
    name = f"{operation.api.blueprint.name}.{flaskify_endpoint(operation.operation_id)}"
    return name.lstrip(".")  # without a base path, the first part is empty


def is_simple(operation: Any, handler: Handler) -> bool:  # noqa: ANN401 - connexion's
    """Tell whether an operation takes nothing but single values, and answers JSON as a rule."""
    arguments, takes_any = inspect_function_arguments(handler)
    names = [param["name"] for param in operation.parameters]
    return (
        operation.method == "get"
        and not operation.body_schema
        and not operation.security
        and not operation.response_definition("200").get("headers")
        and is_json_mimetype(operation.get_mimetype())
        and all(is_simple_parameter(param) for param in operation.parameters)
        and all(name == sanitized(name) for name in names)
        and (takes_any or set(names) <= set(arguments))
    )


def is_simple_parameter(param: dict[str, Any]) -> bool:
    """Tell whether a parameter has one value, which stands in the path or in the query."""
    schema = param.get("schema", {})
    return (
        param["in"] in ("path", "query")
        and schema.get("type") in SINGLE_VALUES
        and "default" not in schema
    )


class Parameter:
    """How to read one parameter: ``read`` makes a value of its text, ``is_valid`` checks that."""

    def __init__(self, param: dict[str, Any]) -> None:
        schema = param["schema"]
        self.read: Callable[[str], Any] = lambda text: coerce_type(param, text, param["in"])
        if schema["type"] == "string" and not is_nullable(schema):
            self.read = str  # connexion finds out that there is nothing to do, each time
        self.is_valid = simple_values.test_for(schema) or validation.made_for(param).is_valid


def test_of_answer(schema: dict[str, Any]) -> Callable[[Any], bool]:
    """Return what checks an answer, as connexion does."""
    validator = Draft4ResponseValidator(schema, format_checker=draft4_format_checker)
    return simple_values.test_for(schema) or validator.is_valid


class FastPath:
    """A view of Flask that answers one operation; ``slow_path`` is connexion's view of it."""

    def __init__(self, operation: Any, handler: Handler, slow_path: View) -> None:  # noqa: ANN401 - connexion's
        self.handler = handler
        self.slow_path = slow_path
        self.api = operation.api
        self.mimetype = operation.get_mimetype()
        self.answer_is_valid = test_of_answer(operation.response_schema("200", self.mimetype))
        self.connexions_check = operation.validator_map["response"](operation, self.mimetype)
        params = patterns.translate(operation.parameters)
        self.required = {param["name"] for param in params if param.get("required")}
        self.params = {(param["in"], param["name"]): Parameter(param) for param in params}

    def __call__(self, **path: Any) -> flask.Response:  # noqa: ANN401 - a value of any type
        """Answer a request; Flask hands in the values that stand in its path."""
        arguments = self.arguments(path)
        if arguments is None:
            return self.slow_path(**path)
        # What a handler finds as ``connexion.context``.
        request_ctx.connexion_context = {}  # type: ignore[attr-defined] # connexion adds it
        return self.respond(self.handler(**arguments))

    def arguments(self, path: dict[str, Any]) -> dict[str, Any] | None:
        """Return the arguments of the handler, or None if the request is not surely right."""
        given = [("path", *item) for item in path.items()]
        request = request_ctx.request  # ``flask.request`` would look it up again at each use
        if request.query_string:
            given += [("query", *item) for item in request.args.items(multi=True)]
        arguments: dict[str, Any] = {}
        for place, name, text in given:
            param = self.params.get((place, name))
            if param is None:
                return None
            try:
                value = param.read(text)
            except TypeValidationError:
                return None
            if not param.is_valid(value):
                return None
            arguments[name] = value
        return arguments if arguments.keys() >= self.required else None

    def respond(self, result: Any) -> flask.Response:  # noqa: ANN401 - whatever a handler returns
        """Return the response to what the handler has returned, once it is checked.

        Raises:
            NonConformingResponse: it violates ``master.yml``.

        """
        if type(result) in SAME_IN_JSON:
            if self.answer_is_valid(result):
                return flask.Response(f"{json.dumps(result)}\n", mimetype=self.mimetype)
        elif isinstance(result, JSON_VALUES):
            text = self.api.jsonifier.dumps(result)
            if self.answer_is_valid(json.loads(text)):
                return flask.Response(text, mimetype=self.mimetype)
        checked = self.connexions_check(lambda _request: result)(flask.request)
        response: flask.Response = self.api.get_response(checked, self.mimetype)
        return response
