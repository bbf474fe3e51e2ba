"""Validate values against the schemas of a spec."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import re
from typing import Any, Callable, Dict, Iterator, List, Tuple

from . import bounded
from .document import InputError, Json, Node
from .libraries import UNRESOLVABLE, jsonschema, local_only
from .references import look_up, pointer, walk

# A schema with ten alternatives of ten parts each has a hundred.
MAX_EVALUATIONS = 2_000
MAX_CHAIN = 50
EXCERPT_LENGTH, MESSAGE_LENGTH = 80, 200


def to_json_schema(node: Json) -> Json:
    """Return a copy of ``node`` whose OpenAPI 3.0 schemas are JSON Schema draft 4.

    The two differ in one keyword that matters here: ``nullable: true`` adds null
    to the ``type`` beside it, and does nothing without one (OpenAPI 3.0.3, Schema
    Object). A boolean ``exclusiveMinimum`` and ignoring the siblings of ``$ref``
    are what draft 4 does anyway.
    """
    if isinstance(node, list):
        return [to_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    copy = {key: to_json_schema(value) for key, value in node.items()}
    # `x-nullable` is how Swagger 2.0 says it.
    is_nullable = True in (copy.get("nullable"), copy.get("x-nullable"))
    if is_nullable and isinstance(copy.get("type"), str):
        copy["type"] = [copy["type"], "null"]
    return copy


def check_component_schemas(document: Node) -> None:
    """Raise InputError when a schema under ``components`` is not a valid schema."""
    components = document.get("components") or {}
    check_schema({"definitions": components.get("schemas") or {}})
    # Where those of Swagger 2.0 are.
    check_schema({"definitions": document.get("definitions") or {}})


def check_schema(schema: Node) -> None:
    """Raise InputError when ``schema`` is not valid JSON Schema draft 4."""
    try:
        jsonschema.Draft4Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        where = pointer(error.absolute_path)[:MESSAGE_LENGTH]
        reason = error.message[:MESSAGE_LENGTH]
        message = f"invalid schema {where} in the specification: {reason}"
        raise InputError(message) from error


def check_evaluation(document: Node) -> None:
    """Raise InputError when the evaluation of a schema has no end, or takes for ever.

    ``allOf`` and its like have a value validated again and again: 30 schemas that each
    refer twice to the next are a billion validations.
    """
    sizes: Dict[int, int] = {}
    for node in walk(document):
        _evaluation_size(document, node, sizes, {})


def _evaluation_size(
    document: Node, schema: Node, sizes: Dict[int, int], open_: Dict[int, Node]
) -> int:
    """Return how many schemas are evaluated for one value, ``schema`` included."""
    if id(schema) in open_:
        raise InputError(f"the schema {_shown(schema)} contains itself: it can never be validated")
    if len(open_) > MAX_CHAIN:
        raise InputError(f"the schema {_shown(schema)} refers to too many others")
    if id(schema) not in sizes:
        open_[id(schema)] = schema
        parts = _in_place(document, schema)
        size = 1 + sum(_evaluation_size(document, part, sizes, open_) for part in parts)
        if size > MAX_EVALUATIONS:
            raise InputError(f"the schema {_shown(schema)} refers to too many others")
        del open_[id(schema)]
        sizes[id(schema)] = size
    return sizes[id(schema)]


def _shown(schema: Node) -> str:
    return str(schema.get("$ref") or schema)[:EXCERPT_LENGTH]


def _in_place(document: Node, schema: Node) -> List[Node]:
    """Return the schemas that are evaluated for the same value as ``schema``."""
    if isinstance(schema.get("$ref"), str):
        target = look_up(document, schema["$ref"])
        # Whoever follows the reference reports one that points to something else.
        return [target] if isinstance(target, dict) else []
    values = [schema.get(key) for key in ("allOf", "anyOf", "oneOf")]
    # The validation of the schema reports a value that is not a list.
    listed = [part for value in values if isinstance(value, list) for part in value]
    return [part for part in (*listed, schema.get("not")) if isinstance(part, dict)]


def schema_errors(
    document: Node, schema: Node, value: Json, most: int, *, lenient: bool = False
) -> List[Any]:
    """Return the first errors of ``value`` under ``schema``, one of the schemas of ``document``.

    Args:
        document: where the references of ``schema`` lead.
        schema: as `to_json_schema` returns it.
        value: what JSON holds.
        most: how many errors at most.
        lenient: let pass what many a good service answers: 5.0 for a whole number, a date-time
            without its zone, and an answer without the members that only requests have.

    Returns:
        ``jsonschema.ValidationError`` objects, at most ``most``; [] when it is valid.

    Raises:
        InputError: the schema itself cannot be used.

    """
    # References in the schema start at the root of the document, so jsonschema gets
    # the document itself as a schema: it ignores all of its keys except allOf.
    root = {**document, "allOf": [schema]}
    root.pop("id", None)
    check_schema(root)
    kind = lenient_validator() if lenient else strict_validator()
    validator = kind(root, format_checker=format_checker(lenient=lenient), **local_only(root))
    try:
        return list(itertools.islice(validator.iter_errors(value), most))
    except UNRESOLVABLE as error:
        message = f"a $ref below an `id` leads out of the specification: {error}; remove the id"
        raise InputError(message) from error
    except re.error as error:
        raise InputError(f"a pattern in the specification is not valid: {error}") from error
    except bounded.TooLongError as error:
        raise InputError(
            f"the pattern {str(error)[:EXCERPT_LENGTH]} in the specification takes longer than"
            f" {bounded.SECONDS:g} s for one value: repeat no repetition, as (a+)+ does"
        ) from error
    except RecursionError as error:
        raise InputError("a schema of the specification refers to itself without end") from error


def lenient_validator() -> Any:  # noqa: ANN401 - a class that jsonschema makes
    """Return the class of validators for the answers of any service, see `schema_errors`."""
    types = jsonschema.Draft4Validator.TYPE_CHECKER.redefine("integer", _is_whole)
    extend: Any = jsonschema.validators.extend  # has no types in every version
    return extend(strict_validator(), {"required": _required_in_answers}, type_checker=types)


@functools.lru_cache(maxsize=None)
def strict_validator() -> Any:  # noqa: ANN401 - a class that jsonschema makes
    """Return the class of validators in which no pattern of a spec takes for ever."""
    kind = jsonschema.Draft4Validator
    keywords = {
        name: _after(searches, kind.VALIDATORS[name]) for name, searches in SEARCHES.items()
    }
    extend: Any = jsonschema.validators.extend  # has no types in every version
    return extend(kind, keywords)


def _after(searches: Searches, keyword: Any) -> Any:  # noqa: ANN401 - functions of jsonschema
    """Return the function of a keyword that first does its searches, within bounds."""

    def bounded_keyword(
        validator: Any,  # noqa: ANN401 - jsonschema's own class
        argument: Any,  # noqa: ANN401 - what the keyword has in a schema
        value: Json,
        schema: Node,
    ) -> Iterator[Any]:
        for pattern, text in searches(argument, value, schema):
            bounded.found(pattern, text)
        yield from keyword(validator, argument, value, schema) or ()

    return bounded_keyword


def _of_a_text(pattern: str, value: Json, _schema: Node) -> Iterator[Tuple[str, str]]:
    if isinstance(value, str):
        yield pattern, value


def _of_the_names(_argument: Json, value: Json, schema: Node) -> Iterator[Tuple[str, str]]:
    patterns = schema.get("patternProperties") or {}
    if isinstance(value, dict):
        yield from itertools.product(patterns, value)


Searches = Callable[[Any, Json, Node], Iterator[Tuple[str, str]]]
# The keywords that search in a value, and what they search.
SEARCHES: Dict[str, Searches] = {
    "pattern": _of_a_text,
    "patternProperties": _of_the_names,
    "additionalProperties": _of_the_names,
}


def _is_whole(_checker: object, value: object) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def _required_in_answers(
    validator: Any,  # noqa: ANN401 - jsonschema's own class
    required: List[str],
    value: Json,
    schema: Node,
) -> Iterator[Any]:
    properties = schema.get("properties") or {}
    needed = [name for name in required if not (properties.get(name) or {}).get("writeOnly")]
    yield from jsonschema.Draft4Validator.VALIDATORS["required"](validator, needed, value, schema)


def format_checker(*, lenient: bool = False) -> jsonschema.FormatChecker:
    """Return the formats that are checked, without libraries beyond jsonschema."""
    checker = jsonschema.FormatChecker(formats=("date", "email", "ipv4", "ipv6", "uuid"))
    checker.checks("date-time", raises=ValueError)(is_any_date_time if lenient else is_date_time)
    checker.checks("int32")(functools.partial(fits_bits, 32))
    checker.checks("int64")(functools.partial(fits_bits, 64))
    return checker


def is_date_time(value: object) -> bool:
    """Tell whether a string is an RFC 3339 date-time; other types have no format."""
    if not isinstance(value, str):
        return True
    match = re.fullmatch(r"([-\d]{10})[Tt]([:\d]{8})(\.\d+)?([Zz]|[+-]\d\d:\d\d)", value)
    if match is None:
        return False
    day, clock, _fraction, offset = match.groups()
    # Python 3.7 reads neither Z nor fractions of every length.
    dt.datetime.fromisoformat(f"{day}T{clock}" + offset.upper().replace("Z", "+00:00"))
    return True


def is_any_date_time(value: object) -> bool:
    """Tell whether a string is a date-time, with or without its zone, as Python writes it."""
    if not isinstance(value, str) or is_date_time(value):
        return True
    dt.datetime.fromisoformat(value)
    return len(value) > len("2024-02-29")


def fits_bits(bits: int, value: object) -> bool:
    """Tell whether an integer fits a signed integer of ``bits`` bits."""
    if not isinstance(value, int):
        return True
    limit: int = 1 << (bits - 1)
    return -limit <= value < limit
