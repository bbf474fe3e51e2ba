"""Check that a running REST service keeps the contract that its spec states.

The front door of the package: what others use of it can be had from here.
"""

from __future__ import annotations

import functools
import time
from typing import Callable, Sequence

from . import contract_document
from .client import (
    DEFAULT_TIMEOUT,
    Answer,
    NoAnswerError,
    reason_for_silence,
    send,
    wait_for_answer,
)
from .document import InputError, Json, Node, parse_document
from .examples import example_of, missing_examples
from .libraries import IMPORT_ERROR
from .probes import undeclared_method_calls, unknown_path_call, wrong_value_calls
from .references import resolve
from .report import Outcome, Report, excerpt, unanswered
from .requests import Call, build_call, example_calls
from .spec import Operation, accept_spec, base_url, list_operations, load_spec
from .validation import refusal_problems, status_problems, success_problems

SAFE_METHODS = ("GET", "HEAD")  # RFC 9110, section 9.2.1

__all__ = [
    "DEFAULT_TIMEOUT",
    "IMPORT_ERROR",
    "Answer",
    "Call",
    "InputError",
    "Json",
    "NoAnswerError",
    "Node",
    "Operation",
    "Outcome",
    "Report",
    "base_url",
    "build_call",
    "check",
    "check_contract",
    "check_operation",
    "check_probes",
    "example_calls",
    "example_of",
    "list_operations",
    "load_spec",
    "perform",
    "reason_for_silence",
    "refusal_problems",
    "resolve",
    "send",
    "status_problems",
    "success_problems",
    "undeclared_method_calls",
    "unknown_path_call",
    "wrong_value_calls",
]


def check(
    spec: str,
    url: str,
    timeout: float = DEFAULT_TIMEOUT,
    wait: float = 0,
) -> Report:
    """Check the service at ``url`` against the OpenAPI document in file ``spec``.

    Args:
        spec: path of the document.
        url: where the service listens, e.g. ``http://localhost:11000``; the path
            of the first server in the document is added to it.
        timeout: longest silence of the service during one call, in seconds.
        wait: how long to wait for the service to answer at all, in seconds.

    Raises:
        InputError: an argument or the document cannot be used.

    """
    return check_document(load_spec(spec), url, timeout, wait)


def check_contract(
    text: str,
    url: str,
    timeout: float = DEFAULT_TIMEOUT,
    wait: float = 0,
    *,
    safe_only: bool = False,
) -> Report:
    """Check the service at ``url`` against the contract document ``text``.

    Args:
        text: see `contract_document`.
        url: as for `check`.
        timeout: as for `check`.
        wait: as for `check`.
        safe_only: send only what changes nothing: GET and HEAD.

    Raises:
        InputError: an argument or a spec cannot be used.

    """
    contract = contract_document.read(text)
    reports = [
        check_document(
            accept_spec(parse_document(spec.text.encode(), spec.file), spec.file),
            url,
            timeout,
            wait,
            safe_only=safe_only,
        )
        for spec in contract.specs
    ]
    return Report(
        tuple(outcome for report in reports for outcome in report.operations),
        tuple(outcome for report in reports for outcome in report.probes),
        mode=contract.mode,
    )


def check_document(
    document: Node, url: str, timeout: float, wait: float, *, safe_only: bool = False
) -> Report:
    """Check the service at ``url`` against a spec that `load_spec` returned."""
    if timeout <= 0 or wait < 0:
        message = "the time-out must be more than 0 s and the wait not less than 0 s"
        raise InputError(message)
    operations = list_operations(document)
    if safe_only:
        operations = [one for one in operations if one.method in SAFE_METHODS]
    base = base_url(document, url)
    if wait:
        call = unknown_path_call(base, "wait for the first answer")
        reason = wait_for_answer(call, wait, timeout)
        if reason:
            problem = f"the service did not answer for {wait:g} s; the last try said: {reason}"
            return Report((), (unanswered(call, wait, problem),))
    calls = tuple(
        outcome
        for operation in operations
        for outcome in check_operation(document, operation, base, timeout)
    )
    # Without a single answer the probes would only repeat why there is none.
    answered = any(outcome.status is not None for outcome in calls)
    probing = answered and not safe_only
    probes = check_probes(document, operations, base, timeout) if probing else []
    return Report(calls, tuple(probes))


def check_operation(
    document: Node,
    operation: Operation,
    base: str,
    timeout: float,
) -> list[Outcome]:
    """Call one operation in each way its examples allow."""
    problems = missing_examples(document, operation)
    if problems:
        url = base + operation.path
        call = Call(operation.operation_id, "not called", operation.method, url)
        return [unanswered(call, 0.0, *problems)]
    judge = functools.partial(success_problems, document, operation)
    return [perform(call, judge, timeout) for call in example_calls(document, operation, base)]


def check_probes(
    document: Node,
    operations: Sequence[Operation],
    base: str,
    timeout: float,
) -> list[Outcome]:
    """Send wrong values, a method that is not declared and a path that does not exist."""
    callable_operations = [item for item in operations if not missing_examples(document, item)]
    outcomes = []
    for operation in callable_operations:
        judge = functools.partial(refusal_problems, document, operation)
        calls = wrong_value_calls(document, operation, base)
        outcomes += [perform(call, judge, timeout) for call in calls]
    not_allowed = functools.partial(status_problems, 405)
    calls = undeclared_method_calls(document, callable_operations, base)
    outcomes += [perform(call, not_allowed, timeout) for call in calls]
    not_found = functools.partial(status_problems, 404)
    outcomes.append(perform(unknown_path_call(base, "unknown path"), not_found, timeout))
    return outcomes


def perform(call: Call, judge: Callable[[Answer], list[str]], timeout: float) -> Outcome:
    """Send ``call`` and let ``judge`` list the problems of the answer."""
    started = time.monotonic()
    try:
        answer = send(call, timeout)
    except NoAnswerError as error:
        return unanswered(call, time.monotonic() - started, str(error))
    problems = tuple(judge(answer))
    return Outcome(
        operation_id=call.operation_id,
        method=call.method,
        url=call.url,
        status=answer.status,
        seconds=answer.seconds,
        problems=problems,
        case=call.case,
        answer=excerpt(answer.body) if problems else "",
    )
