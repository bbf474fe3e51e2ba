"""Judge the answer of any app: it contradicts its spec, keeps it, or does not tell.

What the spec leaves out is no reason to refuse.
"""

from __future__ import annotations

import dataclasses

from .attempts import Attempt
from .client import Answer
from .credentials import GIVEN, MISSING
from .document import Node
from .media_types import bare_media_type
from .spec import Operation, find_response, status_range
from .validation import PROBLEM_JSON, response_problems

UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404
# Ways to say that a change was made. Which of them it is, is often promised at random: advice.
DONE, CHANGING = ("200", "201", "202", "204"), ("POST", "PUT", "PATCH", "DELETE")


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What an answer shows.

    Attributes:
        problems: how it contradicts the spec; empty when it does not.
        unknown: why the operation is not checked by it; "" when it is.
        advice: what else to tell; "" for nothing.

    """

    problems: tuple[str, ...] = ()
    unknown: str = ""
    advice: str = ""


@dataclasses.dataclass(frozen=True)
class Judge:
    """Judges the answers to the calls of one operation, each of which its spec allows.

    Attributes:
        document: the spec.
        file: its name, for messages.
        operation: what is called.

    """

    document: Node
    file: str
    operation: Operation

    def verdict(self, attempt: Attempt, answer: Answer) -> Verdict:
        """Return what an answer shows."""
        kind = status_range(answer.status)
        if kind == "5XX":
            return self._server_error(attempt, answer)
        if kind == "4XX":
            return self._refusal(attempt, answer)
        if kind == "3XX" and not self._is_declared(answer.status):
            target = (answer.headers.get("Location") or "nowhere")[:100]
            return Verdict(unknown=f"answers with a redirect ({answer.status}) to {target}")
        return self._success(attempt, answer)

    def _is_declared(self, status: int) -> bool:
        """Tell whether a status is declared; what `default` promises is not said of which."""
        responses = self.operation.responses
        return str(status) in responses or status_range(status) in responses

    def _problems(self, answer: Answer, key: str = "") -> tuple[str, ...]:
        """Hold an answer against the response of its status, or of another ``key``."""
        responses = self.operation.responses
        response = responses[key] if key else find_response(responses, answer.status)
        if response is None:
            return ()
        found = response_problems(self.document, self.operation, response, answer, lenient=True)
        return tuple(found)

    def _undeclared(self, status: int) -> str:
        promised = ", ".join(sorted(self.operation.responses)) or "nothing"
        return f"status {status} is not in {self.file} (promised: {promised})"

    def _server_error(self, attempt: Attempt, answer: Answer) -> Verdict:
        status = answer.status
        if self._is_declared(status):
            problems = self._problems(answer)
            return Verdict(problems, "" if problems else f"answers {status}, as declared")
        if attempt.guessed:
            return Verdict(unknown=f"answers {status} to a value made up: give `example`")
        hint = "; its values were made up: give an `example` that works" if attempt.made_up else ""
        return Verdict((self._undeclared(status) + hint,))

    def _refusal(self, attempt: Attempt, answer: Answer) -> Verdict:
        # The server itself says in its own form what is wrong with a request.
        is_own = bare_media_type(answer.headers.get("Content-Type", "")) != PROBLEM_JSON
        promised = self._is_declared(answer.status) and is_own
        problems = self._problems(answer) if promised else ()
        reason = "" if problems else self._reason(attempt, answer.status)
        if problems or reason:
            return Verdict(problems, reason)
        return Verdict((self._undeclared(answer.status),))

    def _reason(self, attempt: Attempt, status: int) -> str:
        """Return why the refusal of a request breaks no promise; "" when it breaks one."""
        is_login = status in (UNAUTHORIZED, FORBIDDEN)
        if attempt.credentials == MISSING or (is_login and attempt.credentials != GIVEN):
            return "needs credentials"
        is_declared = self._is_declared(status)
        if not attempt.has_input:
            return f"answers {status}, as declared: nothing to check yet" if is_declared else ""
        if attempt.made_up:
            is_id = status == NOT_FOUND
            need = "needs an id that exists" if is_id else f"refuses values made up ({status})"
            return f"{need}: give `example`"
        responses = self.operation.responses
        if is_declared or is_login or status == NOT_FOUND or "default" in responses:
            return f"its `example` is answered with {status}: give one that works"
        return ""

    def _success(self, attempt: Attempt, answer: Answer) -> Verdict:
        responses, status = self.operation.responses, answer.status
        problems, advice = self._problems(answer), []
        # Where a spec promises failures only, it has left the success out.
        promised = [key for key in sorted(responses) if key.startswith("2")]
        if promised and find_response(responses, status) is None:
            # The body may be another than is promised, too.
            problems = self._problems(answer, promised[0])
            is_change = self.operation.method in CHANGING and promised[0] in DONE
            if is_change and str(status) in DONE:
                advice.append(self._undeclared(status))
            else:
                problems += (self._undeclared(status),)
        if attempt.credentials == MISSING:
            advice.append(f"answers {status} without the credentials that {self.file} asks for")
        return Verdict(problems, advice="; ".join(advice))
