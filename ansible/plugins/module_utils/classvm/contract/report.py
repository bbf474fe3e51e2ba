"""Report what the check found."""

from __future__ import annotations

import dataclasses
from typing import Any, Iterable
from urllib.parse import urlsplit

from .contract_document import STRICT, WARN
from .requests import Call

EXCERPT_LENGTH = 300
TITLE_LENGTH = 120
MOST_REMARKS, MOST_NAMES = 6, 3
# The closing line of a deploy has 300 characters.
FIRST_LENGTH = 180


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one call showed.

    ``status`` is None when there was no HTTP answer, ``seconds`` is the time from
    connecting to the end of the body, ``problems`` is empty when all is well.
    ``case`` says in words what was sent. The rest is kept for failures only: ``answer`` and
    ``sent`` are the beginnings of the two bodies, ``place`` is where the spec promises otherwise.
    """

    operation_id: str
    method: str
    url: str
    status: int | None
    seconds: float
    problems: tuple[str, ...]
    case: str = ""
    answer: str = ""
    place: str = ""
    sent: str = ""

    @property
    def ok(self) -> bool:
        """True when the answer kept the contract."""
        return not self.problems

    @property
    def title(self) -> str:
        """The request without its host, such as "GET /e222/hello"."""
        return title_of(self.method, self.url)

    @property
    def request(self) -> str:
        """The request as it was sent, with the beginning of its body."""
        return " ".join(part for part in (self.method, self.url, self.sent) if part)

    def as_json(self) -> dict[str, Any]:
        """Return the outcome for programs."""
        return {
            "title": self.title,
            "request": self.request,
            "status": self.status,
            "problems": list(self.problems),
            "place": self.place,
            "answer": self.answer,
        }

    def lines(self) -> list[str]:
        """Text for people: what was asked, what came back, and what was promised where."""
        status = "no answer" if self.status is None else str(self.status)
        # Where an operation has no name, its request is the name.
        name = "" if self.operation_id.startswith(f"{self.method} ") else self.operation_id
        names = ", ".join(part for part in (name, self.case) if part)
        lines = [f"FAIL  {self.title}{f' ({names})' if names else ''}"]
        lines += [f"      problem: {problem}" for problem in self.problems]
        lines.append(f"      request: {self.request} -> {status} in {self.seconds:.3f} s")
        if self.answer:
            lines.append(f"      answer:  {self.answer}")
        if self.place:
            lines.append(f"      promise: {self.place}")
        return lines


@dataclasses.dataclass(frozen=True)
class Note:
    """Something that is no failure: an operation that was not checked, or advice."""

    title: str
    reason: str
    place: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the note for programs."""
        return dataclasses.asdict(self)

    def line(self) -> str:
        """Text for people."""
        return f"{self.title}{f' ({self.place})' if self.place else ''}: {self.reason}"


@dataclasses.dataclass(frozen=True)
class Report:
    """What one check found.

    Attributes:
        operations: calls that must succeed.
        probes: calls that must not.
        mode: see `contract_document`.
        not_checked: operations that could not be judged, each with the reason.
        notes: advice.

    """

    operations: tuple[Outcome, ...] = ()
    probes: tuple[Outcome, ...] = ()
    mode: str = STRICT
    not_checked: tuple[Note, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def failures(self) -> list[Outcome]:
        """The outcomes that broke the contract, in the order of the calls."""
        return [outcome for outcome in self.operations + self.probes if not outcome.ok]

    @property
    def ok(self) -> bool:
        """True when every call and every probe kept the contract."""
        return not self.failures

    @property
    def may_go_live(self) -> bool:
        """True when nothing was found, or what was found is only to be told."""
        return self.ok or self.mode == WARN

    @property
    def operation_count(self) -> int:
        """How many operations there are; one operation may take several calls, or none."""
        return len({outcome.operation_id for outcome in self.operations}) + len(self.not_checked)

    @property
    def first(self) -> str:
        """The first failure: "GET /e222/hello: 'message' is a required property"; "" if none."""
        if self.ok:
            return ""
        failure = self.failures[0]
        return bounded(f"{failure.title}: {'; '.join(failure.problems[:2])}", FIRST_LENGTH)

    @property
    def remarks(self) -> list[str]:
        """What a person should know beside the failures: few lines, each for all of one reason."""
        lines = [*_grouped("not checked", self.not_checked), *_grouped("advice", self.notes)]
        more = len(lines) - MOST_REMARKS
        return lines if more <= 0 else [*lines[:MOST_REMARKS], f"{more} more remarks"]

    def as_json(self) -> dict[str, Any]:
        """Return the report for programs; the value holds only what JSON holds."""
        return {
            "ok": self.ok,
            "mode": self.mode,
            "operations": self.operation_count,
            "probes": len(self.probes),
            "failures": [outcome.as_json() for outcome in self.failures],
            "not_checked": [note.as_json() for note in self.not_checked],
            "notes": [note.as_json() for note in self.notes],
            "remarks": self.remarks,
            "first": self.first,
        }

    def lines(self) -> list[str]:
        """Text for people: the failures, what was not checked, and a verdict at the end."""
        lines = [line for outcome in self.failures for line in outcome.lines()]
        lines += [f"not checked: {note.line()}" for note in self.not_checked]
        lines += [f"note: {note.line()}" for note in self.notes]
        verdict = "contract kept" if self.ok else "contract BROKEN"
        unchecked = f", {len(self.not_checked)} not checked" if self.not_checked else ""
        lines.append(
            f"{verdict}: {self.operation_count} operations in {len(self.operations)} calls, "
            f"{len(self.probes)} probes{unchecked}, {len(self.failures)} failures",
        )
        return lines


def _grouped(what: str, notes: Iterable[Note]) -> list[str]:
    """Return a line for each reason: "not checked, needs credentials: GET /me (a.yml:22)"."""
    by_reason: dict[str, list[str]] = {}
    for note in notes:
        name = f"{note.title} ({note.place})" if note.place else note.title
        by_reason.setdefault(note.reason, []).append(name)
    lines = []
    for reason, names in by_reason.items():
        more = len(names) - MOST_NAMES
        rest = f" and {more} more" if more > 0 else ""
        lines.append(f"{what}, {reason}: {', '.join(names[:MOST_NAMES])}{rest}")
    return lines


def joined(reports: Iterable[Report]) -> Report:
    """Return the reports of several specs as one."""
    found = list(reports)
    return Report(
        tuple(outcome for one in found for outcome in one.operations),
        tuple(outcome for one in found for outcome in one.probes),
        not_checked=tuple(note for one in found for note in one.not_checked),
        notes=tuple(note for one in found for note in one.notes),
    )


def unanswered(call: Call, seconds: float, *problems: str, place: str = "") -> Outcome:
    """Return the outcome of a call that got no answer or could not be made."""
    return Outcome(
        call.operation_id, call.method, call.url, None, seconds, problems, call.case, place=place
    )


def title_of(method: str, url: str) -> str:
    """Return a request without its host, such as "GET /e222/prediction?hours=6"."""
    parts = urlsplit(url)
    return bounded(
        f"{method} {parts.path or '/'}{'?' if parts.query else ''}{parts.query}", TITLE_LENGTH
    )


def excerpt(body: bytes) -> str:
    """Return the beginning of a body as one line of text."""
    text = body[: 4 * EXCERPT_LENGTH].decode("utf-8", errors="replace")
    return " ".join(text[:EXCERPT_LENGTH].split())


def bounded(text: str, length: int) -> str:
    """Return a text, or its beginning and an ellipsis."""
    return text if len(text) <= length else text[: length - 1] + "…"
