"""gunicorn's gevent worker, with an end to slow requests, JSON errors and a quick stop."""

from __future__ import annotations

import json
import os
from http import HTTPStatus
from typing import TYPE_CHECKING

import gevent
from gunicorn.http import errors
from gunicorn.workers.ggevent import GeventWorker

from src.problem import MEDIA_TYPE

if TYPE_CHECKING:
    from socket import socket
    from types import FrameType

    from gunicorn.http.message import Request

# An honest request takes milliseconds; a body sent byte by byte must not hold
# its connection for ever.
LONGEST_REQUEST_SECONDS = 30
POLL_SECONDS = 0.01

STATUSES = (
    (errors.LimitRequestLine, HTTPStatus.REQUEST_URI_TOO_LONG),
    (errors.LimitRequestHeaders, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    (errors.UnsupportedTransferCoding, HTTPStatus.NOT_IMPLEMENTED),
    (errors.ParseException, HTTPStatus.BAD_REQUEST),
)


class Worker(GeventWorker):  # type: ignore[misc] # gunicorn ships no types
    """Serves each connection in a greenlet, a thread that costs next to nothing."""

    at_hand = 0

    def handle_request(self, *arguments: object) -> bool:
        """Serve one request, or end the connection if it takes too long."""
        self.at_hand += 1
        try:
            with gevent.Timeout(LONGEST_REQUEST_SECONDS, exception=False):
                keep_open: bool = super().handle_request(*arguments)
                return keep_open
        finally:
            self.at_hand -= 1
        raise StopIteration

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop with the last answer: gunicorn looks once a second, and waits for idle clients."""
        super().handle_exit(sig, frame)
        gevent.spawn(self.end)

    def end(self) -> None:
        """End the process once no request is at hand, without a look back.

        Python's own end goes through all that was imported, which takes 45 ms of the processor
        (measured) from those who ask the next release. Nothing waits to be written.
        """
        while self.at_hand:
            gevent.sleep(POLL_SECONDS)
        os._exit(0)

    def handle_error(
        self, req: Request | None, client: socket, addr: tuple[str, int], exc: BaseException
    ) -> None:
        """Answer bytes that are no HTTP, which never reach Flask."""
        for kind, status in STATUSES:
            if isinstance(exc, kind):
                self.log.warning("invalid request from %s: %r", addr[0], str(exc))
                client.sendall(problem_message(status))
                return
        super().handle_error(req, client, addr, exc)


def problem_message(status: HTTPStatus) -> bytes:
    """Return a whole HTTP response: head and problem JSON."""
    problem = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": "The server cannot read the request as HTTP.",
    }
    body = json.dumps(problem).encode("ascii")
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "Connection: close\r\n"
        f"Content-Type: {MEDIA_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\n"
        "\r\n"
    )
    return head.encode("ascii") + body
