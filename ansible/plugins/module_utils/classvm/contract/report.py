"""Report what each call showed."""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import urlsplit

from .contract_document import STRICT, WARN
from .requests import Call

EXCERPT_LENGTH = 300


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one call showed.

    ``status`` is None when there was no HTTP answer, ``seconds`` is the time from
    connecting to the end of the body, ``problems`` is empty when all is well.
    ``case`` says in words what was sent; ``answer`` is the beginning of the body
    and is kept for failures only.
    """

    operation_id: str
    method: str
    url: str
    status: int | None
    seconds: float
    problems: tuple[str, ...]
    case: str = ""
    answer: str = ""

    @property
    def ok(self) -> bool:
        """True when the answer kept the contract."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """Return the outcome for programs."""
        return {
            "title": f"{self.method} {urlsplit(self.url).path}",
            "request": f"{self.method} {self.url}",
            "status": self.status,
            "problems": list(self.problems),
            "place": "",
            "answer": self.answer,
        }

    def lines(self) -> list[str]:
        """Text for people: one line for a success, a short block for a failure."""
        status = "no answer" if self.status is None else str(self.status)
        title = f"{self.operation_id or 'service'} ({self.case})"
        request = f"{self.method} {self.url} -> {status} in {self.seconds:.3f} s"
        if self.ok:
            return [f"ok    {title}: {request}"]
        lines = [f"FAIL  {title}", f"      request: {request}"]
        lines += [f"      problem: {problem}" for problem in self.problems]
        if self.answer:
            lines.append(f"      answer:  {self.answer}")
        return lines


@dataclasses.dataclass(frozen=True)
class Report:
    """The outcomes of one check: calls that must succeed, and probes that must not."""

    operations: tuple[Outcome, ...]
    probes: tuple[Outcome, ...]
    mode: str = STRICT

    @property
    def failures(self) -> list[Outcome]:
        """The outcomes that broke the contract, in the order of the calls."""
        return [outcome for outcome in self.operations + self.probes if not outcome.ok]

    @property
    def ok(self) -> bool:
        """True when every call and every probe kept the contract."""
        return not self.failures

    @property
    def operation_count(self) -> int:
        """How many operations were checked; one operation may take several calls."""
        return len({outcome.operation_id for outcome in self.operations})

    @property
    def may_go_live(self) -> bool:
        """True when nothing was found, or what was found is only to be told."""
        return self.ok or self.mode == WARN

    def as_json(self) -> dict[str, Any]:
        """Return the report for programs; the value holds only what JSON holds."""
        failures = [outcome.as_json() for outcome in self.failures]
        first = failures[0] if failures else None
        return {
            "ok": self.ok,
            "mode": self.mode,
            "operations": self.operation_count,
            "probes": len(self.probes),
            "failures": failures,
            "not_checked": [],
            "first": f"{first['title']}: {first['problems'][0]}" if first else "",
        }

    def lines(self) -> list[str]:
        """Text for people: the lines of every outcome and a verdict at the end."""
        lines = [line for outcome in self.operations + self.probes for line in outcome.lines()]
        verdict = "contract kept" if self.ok else "contract BROKEN"
        lines.append(
            f"{verdict}: {self.operation_count} operations in {len(self.operations)} calls, "
            f"{len(self.probes)} probes, {len(self.failures)} failures",
        )
        return lines


def unanswered(call: Call, seconds: float, *problems: str) -> Outcome:
    """Return the outcome of a call that got no answer or could not be made."""
    return Outcome(call.operation_id, call.method, call.url, None, seconds, problems, call.case)


def excerpt(body: bytes) -> str:
    """Return the beginning of a body as one line of text."""
    text = body.decode("utf-8", errors="replace")
    return " ".join(text[:EXCERPT_LENGTH].split())
