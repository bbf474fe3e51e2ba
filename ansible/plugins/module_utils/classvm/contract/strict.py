"""Check a service that gives an example for everything and refuses what is wrong.

That is the lab's own app. Every operation is called with the examples of its spec, then a few
probes send what the spec forbids and expect to be refused.
"""

from __future__ import annotations

import functools
from typing import Callable, Sequence

from .document import Node
from .examples import lacks_examples, undeclared_parameters
from .gate import check_operations
from .perform import Tell, in_silence, perform
from .probes import undeclared_method_calls, unknown_path_call, wrong_value_calls
from .report import Note, Outcome, Report, joined, unanswered
from .requests import Call, example_calls
from .spec import Operation, find_response, list_operations
from .spec_file import Spec
from .validation import BAD_REQUEST, refusal_problems, status_problems, success_problems

UNDECLARED = f"its spec does not declare {BAD_REQUEST}, with which a wrong value is refused"
# Tells where a spec promises the answer of an operation and a status.
Place = Callable[[Operation, "int | None"], str]


def check_spec(
    spec: Spec, base: str, timeout: float, *, safe_only: bool = False, tell: Tell = in_silence
) -> Report:
    """Check the service behind ``base`` against a spec.

    Args:
        spec: the spec, as `spec_file.load` returns it.
        base: where its paths begin, such as ``http://localhost:11000/e222``.
        timeout: longest silence of the service during one call, in seconds.
        safe_only: of what is made up, send only what changes nothing. What the spec gives examples of
            has no consequences.
        tell: called with how far the check has come.

    Raises:
        InputError: the spec cannot be used.

    """
    document = spec.document
    operations = list_operations(document)
    # What OpenAPI lets one leave out is made up.
    sparse = [one for one in operations if lacks_examples(document, one)]
    operations = [one for one in operations if one not in sparse]
    calls: tuple[Outcome, ...] = ()
    for number, operation in enumerate(operations, 1):
        tell(f"{number} of {len(operations) + len(sparse)} operations")
        calls += tuple(check_operation(document, operation, base, timeout, spec.place))
    made_up = Report()
    if sparse:
        tell(f"{len(sparse)} operations without examples")
        made_up = check_operations(spec, sparse, base, timeout, safe_only=safe_only)
    # Without a single answer the probes would only repeat why there is none.
    probing = any(outcome.status is not None for outcome in calls)
    if probing:
        tell("requests that are wrong")
    probes = check_probes(document, operations, base, timeout, spec.place) if probing else []
    notes = undeclared_refusals(operations, probes, spec.place)
    return joined([Report(calls, tuple(probes), notes=tuple(notes)), made_up])


def undeclared_refusals(
    operations: Sequence[Operation], probes: Sequence[Outcome], place: Place
) -> list[Note]:
    """Return an advice for each operation that refuses a wrong value with a status it leaves out."""
    named = {one.operation_id: one for one in operations}
    found = {
        (probe.operation_id, probe.status): probe
        for probe in probes
        if probe.operation_id in named
        and probe.status == BAD_REQUEST
        and find_response(named[probe.operation_id].responses, BAD_REQUEST) is None
    }
    return [
        Note(f"{probe.method} {named[name].path}", UNDECLARED, place(named[name], None))
        for (name, _), probe in found.items()
    ]


def nowhere(_operation: Operation, _status: int | None) -> str:
    """Return no place, for those who have a document without its text."""
    return ""


def check_operation(
    document: Node,
    operation: Operation,
    base: str,
    timeout: float,
    place: Place = nowhere,
) -> list[Outcome]:
    """Call one operation in each way its examples allow."""
    where = functools.partial(place, operation)
    problems = undeclared_parameters(operation)
    if problems:
        url = base + operation.path
        call = Call(operation.operation_id, "not called", operation.method, url)
        return [unanswered(call, 0.0, *problems, place=where(None))]
    judge = functools.partial(success_problems, document, operation)
    calls = example_calls(document, operation, base)
    return [perform(call, judge, timeout, where) for call in calls]


def check_probes(
    document: Node,
    operations: Sequence[Operation],
    base: str,
    timeout: float,
    place: Place = nowhere,
) -> list[Outcome]:
    """Send wrong values, a method that is not declared and a path that does not exist."""
    operations = [item for item in operations if not undeclared_parameters(item)]
    outcomes = []
    for operation in operations:
        judge = functools.partial(refusal_problems, document, operation)
        where = functools.partial(place, operation)
        calls = wrong_value_calls(document, operation, base)
        outcomes += [perform(call, judge, timeout, where) for call in calls]
    not_allowed = functools.partial(status_problems, 405)
    calls = undeclared_method_calls(document, operations, base)
    outcomes += [perform(call, not_allowed, timeout) for call in calls]
    not_found = functools.partial(status_problems, 404)
    outcomes.append(perform(unknown_path_call(base, "unknown path"), not_found, timeout))
    return outcomes
