"""Send a call, and note what its answer shows."""

from __future__ import annotations

import time
from typing import Callable

from .client import Answer, NoAnswerError, send
from .report import Outcome, excerpt, unanswered
from .requests import Call

# Told how far a check has come.
Tell = Callable[[str], None]


def in_silence(text: str) -> None:
    """Tell nobody."""
    del text


def perform(
    call: Call,
    judge: Callable[[Answer], list[str]],
    timeout: float,
    place: Callable[[int | None], str] = lambda _status: "",
) -> Outcome:
    """Send ``call`` and let ``judge`` list the problems of the answer.

    Args:
        call: the request.
        judge: tells what is wrong with an answer.
        timeout: longest silence of the service, in seconds.
        place: tells where the spec promises the answer of a status; None: when there is no answer.

    """
    started = time.monotonic()
    try:
        answer = send(call, timeout)
    except NoAnswerError as error:
        seconds = time.monotonic() - started
        return unanswered(call, seconds, str(error), place=place(None))
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
        place=place(answer.status) if problems else "",
        sent=excerpt(call.body or b"") if problems else "",
    )
