"""Check that a running REST service keeps the contract that its spec states.

The front door of the package: what others use of it can be had from here.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Callable, Sequence

from . import contract_document, gate, spec_file, strict
from .client import (
    DEFAULT_TIMEOUT,
    Answer,
    NoAnswerError,
    reason_for_silence,
    send,
    wait_for_answer,
)
from .contract_document import STRICT
from .document import InputError, Json, Node
from .examples import example_of
from .libraries import IMPORT_ERROR
from .perform import Tell, in_silence, perform
from .probes import undeclared_method_calls, unknown_path_call, wrong_value_calls
from .references import resolve
from .report import Note, Outcome, Report, joined, unanswered
from .requests import Call, build_call, example_calls
from .spec import Operation, base_url, list_operations, load_spec
from .spec_file import Spec
from .strict import check_operation, check_probes
from .validation import refusal_problems, status_problems, success_problems

__all__ = [
    "DEFAULT_TIMEOUT",
    "IMPORT_ERROR",
    "Answer",
    "Call",
    "InputError",
    "Json",
    "NoAnswerError",
    "Node",
    "Note",
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
    """Check the service at ``url`` strictly against the OpenAPI document in file ``spec``.

    Args:
        spec: path of the document.
        url: where the service listens, e.g. ``http://localhost:11000``; the path
            of the first server in the document is added to it.
        timeout: longest silence of the service during one call, in seconds.
        wait: how long to wait for the service to answer at all, in seconds.

    Raises:
        InputError: an argument or the document cannot be used.

    """
    check_spec = functools.partial(strict.check_spec, timeout=timeout)
    return _check([spec_file.load(spec)], check_spec, url, timeout, wait)


def check_contract(  # noqa: PLR0913 - each is an option of the program
    text: str,
    url: str,
    timeout: float = DEFAULT_TIMEOUT,
    wait: float = 0,
    *,
    safe_only: bool = False,
    tell: Tell = in_silence,
) -> Report:
    """Check the service at ``url`` against the contract document ``text``.

    Args:
        text: see `contract_document`.
        url: as for `check`.
        timeout: as for `check`.
        wait: as for `check`.
        safe_only: send only what changes nothing: GET and HEAD, no values made up. A strict contract
            is about an app for which nothing that its spec gives has consequences.
        tell: called with how far the check has come, such as "7 of 10 operations".

    Raises:
        InputError: an argument or a spec cannot be used.

    """
    contract = contract_document.read(text)
    is_strict = contract.mode == STRICT
    reading = spec_file.read_strictly if is_strict else spec_file.read_any
    specs = [reading(one) for one in contract.specs]
    checking = strict.check_spec if is_strict else gate.check_spec
    check_spec = functools.partial(checking, timeout=timeout, safe_only=safe_only, tell=tell)
    found = _check(specs, check_spec, url, timeout, wait)
    return dataclasses.replace(found, mode=contract.mode)


def _check(
    specs: Sequence[Spec],
    check_spec: Callable[[Spec, str], Report],
    url: str,
    timeout: float,
    wait: float,
) -> Report:
    if timeout <= 0 or wait < 0:
        message = "the time-out must be more than 0 s and the wait not less than 0 s"
        raise InputError(message)
    # Before any call: that a spec is unusable is no fault of the service.
    bases = [base_url(one.document, url, one.base_path) for one in specs]
    for one in specs:
        list_operations(one.document)
    if wait and specs:
        call = unknown_path_call(bases[0], "wait for the first answer")
        reason = wait_for_answer(call, wait, timeout)
        if reason:
            problem = f"the service did not answer for {wait:g} s; the last try said: {reason}"
            return Report((), (unanswered(call, wait, problem),))
    return joined(check_spec(spec, base) for spec, base in zip(specs, bases))
