"""Build the calls for any operation: the spec's examples, and made-up values where it has none."""

from __future__ import annotations

import dataclasses
import re
from typing import Any, Iterator, Mapping, Tuple

from .bodies import FORM, UPLOAD
from .credentials import with_credentials
from .document import Json, Node
from .examples import NO_EXAMPLE, example_of, is_required
from .media_types import is_json
from .requests import Call, build_call
from .schemas import check_schema
from .spec import Operation
from .values import TEXTS, Maker, is_valid, sendable

# OpenAPI 3.0.3 has parameters of these names ignored.
IGNORED_HEADERS = ("accept", "content-type", "authorization")
# What to send where a body may have any media type.
ANY_MEDIA_TYPE = {
    "*/*": "application/json",
    "application/*": "application/json",
    "text/*": "text/plain",
}
# For a parameter of a path that is not declared: a number, and a text as well.
UNDECLARED = "1"


# Values of parameters by place and name.
Known = Mapping[Tuple[str, str], Any]


class UncallableError(Exception):
    """An operation cannot be called; the text says why."""


@dataclasses.dataclass(frozen=True)
class Attempt:
    """One call of an operation, and where its values come from.

    Attributes:
        call: the request.
        made_up: whether a value was made up from its schema.
        guessed: whether the schema allows any text where one was made up, or there is no schema.
        has_input: whether the call carries any value.
        credentials: see `credentials.with_credentials`.
        values: of the parameters, by place and name.
        body: what is sent, or NO_EXAMPLE.
        known: of the values, those that other answers have shown.

    """

    call: Call
    made_up: bool
    guessed: bool
    has_input: bool
    credentials: str
    values: dict[tuple[str, str], Any]
    body: Json
    known: Known = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Caller:
    """Builds the calls of one operation.

    Attributes:
        document: its spec.
        operation: what to call.
        base: where the paths begin.
        known: values that come before those that are made up; only where these tell nothing.

    """

    document: Node
    operation: Operation
    base: str
    known: Known = dataclasses.field(default_factory=dict)

    def attempts(self) -> Iterator[Attempt]:
        """Yield calls with what the operation requires; the next is for when one tells nothing.

        Raises:
            UncallableError: nothing can be made up for it.

        """
        first = self.attempt()
        yield first
        if first.guessed:
            yield self.attempt(text=TEXTS[1])
        if first.made_up and self.known:
            yield self.attempt(known=self.known)

    def attempt(
        self, *, text: str = TEXTS[0], optional: bool = False, known: Known | None = None
    ) -> Attempt:
        """Return a call of the operation.

        Args:
            text: what to send where any text is allowed.
            optional: whether to send what is not required as well.
            known: values that come before those that are made up.

        Raises:
            UncallableError: nothing can be made up for it.

        """
        known = known or {}
        allowed, credentials = with_credentials(self.document, _sendable(self.operation))
        maker = Maker(self.document, text)
        values: dict[tuple[str, str], Any] = {
            (one["in"], one["name"]): _value(maker, one, known)
            for one in allowed.parameters
            if optional or is_required(one)
        }
        for name in re.findall(r"{([^}]+)}", self.operation.path):
            if ("path", name) not in values:
                values["path", name] = known.get(("path", name), UNDECLARED)
                maker.made_up = maker.guessed = True
        body = _body(maker, allowed)
        case = "with optional parameters" if optional else ""
        call = build_call(allowed, self.base, case, values, body)
        has_input = bool(values) or body is not NO_EXAMPLE
        made = (maker.made_up, maker.guessed, has_input)
        return Attempt(call, *made, credentials, values, body, known)


def has_optional(operation: Operation) -> bool:
    """Tell whether an operation takes more than it requires."""
    return any(not is_required(one) for one in _sendable(operation).parameters)


def _sendable(operation: Operation) -> Operation:
    """Return an operation without ignored parameters, and with one media type for its body."""
    kept = [
        one
        for one in operation.parameters
        if one["in"] != "header" or one["name"].lower() not in IGNORED_HEADERS
    ]
    media_type = ANY_MEDIA_TYPE.get(operation.media_type, operation.media_type)
    return dataclasses.replace(operation, parameters=kept, media_type=media_type)


def _value(maker: Maker, parameter: Node, known: Known) -> Json:
    example = example_of(maker.document, parameter)
    if example is not NO_EXAMPLE:
        return example
    key = (parameter["in"], parameter["name"])
    if key in known:
        maker.made_up = True
        return known[key]
    content = parameter.get("content")
    media = next(iter(content.values()), {}) if isinstance(content, dict) else parameter
    schema = media.get("schema") or {}
    check_schema(schema)
    value = maker.value(schema)
    if not is_valid(maker.document, schema, value):
        raise UncallableError(
            f"no value could be made up for `{parameter['name']}`: give `example`"
        )
    return value


def _body(maker: Maker, operation: Operation) -> Json:
    example = example_of(maker.document, operation.body)
    media_type = operation.media_type
    if not media_type:
        return NO_EXAMPLE
    if example is not NO_EXAMPLE:
        return sendable(maker.document, operation.body.get("schema"), example)
    is_known = is_json(media_type) or media_type in (FORM, UPLOAD, "application/octet-stream")
    if not is_known and not media_type.startswith("text/"):
        raise UncallableError(f"needs a body of {media_type}: give `example`")
    schema = operation.body.get("schema") or {}
    check_schema(schema)
    value = maker.value(schema)
    # What stands for a file in a form is no text, whatever its schema says.
    if media_type != UPLOAD and not is_valid(maker.document, schema, value):
        raise UncallableError("no body could be made up from its schema: give `example`")
    return value
