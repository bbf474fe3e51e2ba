"""Compare answers with the responses that the spec declares."""

from __future__ import annotations

import json

from . import wording
from .client import Answer
from .document import Node
from .media_types import bare_media_type, find_media_type, is_json
from .references import resolve
from .schemas import schema_errors
from .spec import Operation, find_response, status_range

MAX_SCHEMA_PROBLEMS = 5
BAD_REQUEST = 400
PROBLEM_JSON = "application/problem+json"
NO_BODY = (204, 304)  # RFC 9110, section 6.4.1


def success_problems(document: Node, operation: Operation, answer: Answer) -> list[str]:
    """List what is wrong with the answer to a call made from the examples."""
    response = find_response(operation.responses, answer.status)
    if response is None:
        return [undeclared(operation, answer.status)]
    if status_range(answer.status) != "2XX":
        return [f"status {answer.status} is not a success, yet only documented examples were sent"]
    return response_problems(document, operation, response, answer)


def refusal_problems(document: Node, operation: Operation, answer: Answer) -> list[str]:
    """List what is wrong with the answer to a value its schema forbids."""
    if status_range(answer.status) == "5XX":
        return [f"bad input caused server error {answer.status}; expected a declared 4xx"]
    if status_range(answer.status) != "4XX":
        return [f"bad input was answered with status {answer.status}; expected a declared 4xx"]
    response = find_response(operation.responses, answer.status)
    if response is None and answer.status != BAD_REQUEST:
        return [undeclared(operation, answer.status)]
    media_type = bare_media_type(answer.headers.get("Content-Type", ""))
    if media_type != PROBLEM_JSON:
        return [f"an error must be sent as {PROBLEM_JSON}, not as {media_type or 'no type at all'}"]
    if response is None:
        # A spec may leave it out.
        return []
    return response_problems(document, operation, response, answer)


def status_problems(expected: int, answer: Answer) -> list[str]:
    """List the problem of any status but the expected one."""
    if answer.status == expected:
        return []
    return [f"status {answer.status} instead of {expected}"]


def undeclared(operation: Operation, status: int) -> str:
    """Say that a status is not in the specification, and which ones are."""
    declared = ", ".join(sorted(operation.responses)) or "none"
    return f"status {status} is not declared for this operation (declared: {declared})"


def response_problems(
    document: Node,
    operation: Operation,
    response: Node,
    answer: Answer,
    *,
    lenient: bool = False,
) -> list[str]:
    """Hold headers and body of an answer against the Response Object declared for it.

    Args:
        document: the spec.
        operation: what was called.
        response: what it promises.
        answer: what came back.
        lenient: what the spec leaves out is not promised: a response without content may have any,
            and a text may be empty. See also `schemas.schema_errors`.

    """
    problems = [
        f"required response header {name} is missing"
        for name, header in (response.get("headers") or {}).items()
        if resolve(document, header).get("required") and name not in answer.headers
    ]
    content = response.get("content") or {}
    # The answer to HEAD never has a body (RFC 9110, section 9.3.2).
    if operation.method == "HEAD" or (lenient and (not content or answer.status in NO_BODY)):
        return problems
    return problems + body_problems(document, content, answer, lenient=lenient)


def body_problems(
    document: Node, content: Node, answer: Answer, *, lenient: bool = False
) -> list[str]:
    """Hold the body against ``content``, the Media Type Objects of a response."""
    if not content:
        return ["the answer has a body where none is declared"] if answer.body else []
    media_type = bare_media_type(answer.headers.get("Content-Type", ""))
    declared = find_media_type(content, media_type)
    if declared is None:
        wanted = ", ".join(content)
        return [f"content type {media_type or '(none)'} is not declared (declared: {wanted})"]
    if not answer.body and not (lenient and not is_json(media_type)):
        return ["the body is empty"]
    if not is_json(media_type):
        return []
    if not answer.is_whole:
        return ["the body has no end"]
    return json_problems(document, declared.get("schema") or {}, answer.body, lenient=lenient)


def json_problems(document: Node, schema: Node, body: bytes, *, lenient: bool = False) -> list[str]:
    """Parse ``body`` as JSON and list where it breaks ``schema``."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=reject_constant)
    except (ValueError, RecursionError) as error:
        return [f"the body is not JSON: {error}"]
    errors = schema_errors(document, schema, value, MAX_SCHEMA_PROBLEMS, lenient=lenient)
    return [wording.problem(error) for error in errors]


def reject_constant(name: str) -> None:
    """Refuse NaN and Infinity, which Python reads but RFC 8259 does not know."""
    message = f"{name} is not a JSON number"
    raise ValueError(message)
