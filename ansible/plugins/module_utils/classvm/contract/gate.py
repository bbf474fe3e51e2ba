"""Check a service of which nothing is known but its spec.

Every operation is called with the examples of its spec, or with values made up from its schemas.
A service that answers otherwise than its spec says has failed. An operation that cannot be called
without knowledge is named, with the reason. What wrong values do is advice only.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from typing import Sequence

from .attempts import Attempt, Caller, UncallableError, has_optional
from .client import Answer
from .document import InputError
from .known_values import KnownValues
from .perform import Tell, in_silence, perform
from .probes import unknown_path_call, wrong_calls
from .report import Note, Outcome, Report, title_of
from .spec import Operation, list_operations, status_range
from .spec_file import Spec
from .verdicts import Judge, Verdict

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# What removes comes last, so that everything else finds what it asks for.
ORDER = ("GET", "HEAD", "OPTIONS", "TRACE", "POST", "PUT", "PATCH", "DELETE")
# A service that did not answer so many calls is not asked again.
MOST_SILENCES = 3
# Even a GET may write down what it is asked for.
NOT_NOW = "called before the release went live, not after"
MOST_PROBES = 50
FLASK_PARAMETER = re.compile(r"<(?:[^<>:]+:)?(\w+)>")


@dataclasses.dataclass
class _Found:
    """What was found out about one operation."""

    outcomes: list[Outcome] = dataclasses.field(default_factory=list)
    not_checked: list[Note] = dataclasses.field(default_factory=list)
    notes: list[Note] = dataclasses.field(default_factory=list)
    probes: list[Outcome] = dataclasses.field(default_factory=list)


def check_spec(
    spec: Spec, base: str, timeout: float, *, safe_only: bool = False, tell: Tell = in_silence
) -> Report:
    """Check the service behind ``base`` against a spec.

    Args:
        spec: the spec, as `spec_file.read_any` returns it.
        base: where its paths begin, such as ``http://localhost:11000/e222``.
        timeout: longest silence of the service during one call, in seconds.
        safe_only: send only GET and HEAD, and only what the spec itself gives.
        tell: called with how far the check has come.

    Raises:
        InputError: the spec cannot be used.

    """
    operations = list_operations(spec.document)
    return check_operations(spec, operations, base, timeout, safe_only=safe_only, tell=tell)


def check_operations(  # noqa: PLR0913 - as `check_spec`, and which operations
    spec: Spec,
    operations: Sequence[Operation],
    base: str,
    timeout: float,
    *,
    safe_only: bool = False,
    tell: Tell = in_silence,
) -> Report:
    """Check some operations of a service; the arguments are those of `check_spec`."""
    operations = [_readable(one, base) for one in operations]
    check = _Check(spec, base, timeout, safe_only=safe_only)
    order = sorted(range(len(operations)), key=lambda at: _turn(operations[at]))
    found = {}
    for number, at in enumerate(order, 1):
        tell(f"{number} of {len(order)} operations")
        found[at] = check.operation(operations[at])
    in_order = [found[at] for at in range(len(operations))]
    outcomes = tuple(one for each in in_order for one in each.outcomes)
    probes = [one for each in in_order for one in each.probes]
    if safe_only and not outcomes:
        # Nothing could be asked for; whether somebody answers is worth a question.
        call = unknown_path_call(base, "unknown path")
        probes.append(perform(call, lambda _answer: [], timeout))
    return Report(
        outcomes,
        tuple(probes),
        not_checked=tuple(one for each in in_order for one in each.not_checked),
        notes=tuple(one for each in in_order for one in each.notes),
    )


def _turn(operation: Operation) -> tuple[int, int]:
    """Tell when to call an operation: lists before their items, what removes last."""
    return ORDER.index(operation.method), operation.path.count("{")


def _readable(operation: Operation, base: str) -> Operation:
    """Return an operation with a name that no other spec has, and its path as OpenAPI writes it."""
    path = FLASK_PARAMETER.sub(r"{\1}", operation.path)
    name = title_of(operation.method, base + path)
    return dataclasses.replace(operation, path=path, operation_id=name)


class _Check:
    def __init__(self, spec: Spec, base: str, timeout: float, *, safe_only: bool) -> None:
        self.spec = spec
        self.base = base
        self.timeout = timeout
        self.safe_only = safe_only
        self.known = KnownValues()
        self.silences = 0
        self.probes = 0

    def operation(self, operation: Operation) -> _Found:
        """Call an operation, and return what its answers show."""
        found = _Found()
        reason = ""
        if self.safe_only and operation.method not in SAFE_METHODS:
            reason = f"may change data: {NOT_NOW}"
        elif self.silences >= MOST_SILENCES:
            reason = "not called: the service no longer answers"
        else:
            try:
                reason = self._call(operation, found)
            except (UncallableError, InputError) as error:
                reason = str(error)
        if reason:
            found.outcomes.clear()
            found.not_checked.append(self._note(operation, reason))
        return found

    def _note(self, operation: Operation, reason: str) -> Note:
        return Note(operation.operation_id, reason, self.spec.place(operation))

    def _call(self, operation: Operation, found: _Found) -> str:
        """Call an operation until its answer tells something; return why none does, or ""."""
        judge = Judge(self.spec.document, self.spec.places.file, operation)
        verdict = Verdict()
        known = self.known.values(operation)
        caller = Caller(self.spec.document, operation, self.base, known)
        for one in caller.attempts():
            if self.safe_only and one.made_up:
                return f"its values are made up: {NOT_NOW}"
            outcome, verdict = self._try(judge, one)
            if not verdict.unknown:
                break
        if verdict.unknown:
            return verdict.unknown
        found.outcomes.append(outcome)
        if verdict.advice:
            found.notes.append(self._note(operation, verdict.advice))
        if outcome.ok:
            self._call_with_all(judge, caller, one, found)
        return ""

    def _call_with_all(self, judge: Judge, caller: Caller, first: Attempt, found: _Found) -> None:
        """Call an operation with its optional parameters as well, then with wrong values."""
        operation, richest, reason = judge.operation, first, ""
        if has_optional(operation) and not self.safe_only:
            try:
                richest = caller.attempt(optional=True, known=first.known)
                outcome, verdict = self._try(judge, richest)
            except UncallableError as error:
                reason = f"not called with its optional parameters: {error}"
            else:
                reason = verdict.unknown and f"with its optional parameters: {verdict.unknown}"
        if reason:
            richest = first
            found.notes.append(self._note(operation, reason))
        elif richest is not first:
            found.outcomes.append(outcome)
        if not self.safe_only:
            self._probe(operation, richest, found)

    def _probe(self, operation: Operation, good: Attempt, found: _Found) -> None:
        """Send wrong values; that a service breaks off by them is worth advice."""
        calls = wrong_calls(self.spec.document, operation, self.base, good.values, good.body)
        for call in calls[: MOST_PROBES - self.probes]:
            self.probes += 1
            outcome = perform(call, lambda _answer: [], self.timeout)
            if outcome.status is None or status_range(outcome.status) == "5XX":
                answered = f"answered with {outcome.status}" if outcome.status else "not answered"
                found.notes.append(
                    self._note(operation, f"{call.case} is {answered}, not with 4xx")
                )
            found.probes.append(dataclasses.replace(outcome, problems=()))

    def _try(self, judge: Judge, one: Attempt) -> tuple[Outcome, Verdict]:
        """Send one call; return what it showed, and the verdict."""
        verdicts = []

        def problems(answer: Answer) -> list[str]:
            verdicts.append(judge.verdict(one, answer))
            if status_range(answer.status) == "2XX":
                self.known.learn(judge.operation, answer)
            return list(verdicts[0].problems)

        place = functools.partial(self.spec.place, judge.operation)
        outcome = perform(one.call, problems, self.timeout, place)
        self.silences = 0 if verdicts else self.silences + 1
        return outcome, verdicts[0] if verdicts else Verdict(outcome.problems)
