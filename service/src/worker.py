"""gunicorn's gevent worker, with a time limit per request, JSON errors and a quick stop."""

from __future__ import annotations

import json
import os
import re
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING

import gevent
from gunicorn.http import errors
from gunicorn.workers.ggevent import GeventWorker

from src.problem import MEDIA_TYPE

if TYPE_CHECKING:
    from types import FrameType

    from gunicorn.http.message import Request

    Address = tuple[str, int]

# A normal request takes milliseconds; a body sent byte by byte must not hold
# its connection for ever.
LONGEST_REQUEST_SECONDS = 30
POLL_SECONDS = 0.01

# A name or an address, and a port. Source: RFC 9110, 7.2, and RFC 3986, 3.2.2
HOST = re.compile(r"(?:[\w.~%!$&'()*+,;=-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?", re.ASCII)

STATUSES = (
    (errors.LimitRequestLine, HTTPStatus.REQUEST_URI_TOO_LONG),
    (errors.LimitRequestHeaders, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    (errors.UnsupportedTransferCoding, HTTPStatus.NOT_IMPLEMENTED),
    (errors.ParseException, HTTPStatus.BAD_REQUEST),
)


class Worker(GeventWorker):  # type: ignore[misc] # gunicorn ships no types
    """Serves each connection in a greenlet, which needs far less memory than a thread."""

    requests_in_progress = 0

    def init_process(self) -> None:
        """Begin to serve."""
        self.idle_seconds = self.cfg.keepalive
        super().init_process()

    def timeout_ctx(self) -> gevent.Timeout:
        """Return the time that a client has to send the head of its next request."""
        return gevent.Timeout(self.idle_seconds, exception=False)

    def handle_usr1(self, sig: int, frame: FrameType | None) -> None:
        """End each connection with its next answer, which says so, or when it is idle for long.

        A release that takes over sends this before it stops the process: to end an idle connection
        is to risk that its client sends a request just then. gunicorn hands the signal on to each
        worker, and would only open its log files again.
        """
        super().handle_usr1(sig, frame)
        self.cfg.set("keepalive", 0)

    def handle_request(self, listener_name: object, req: Request, *arguments: object) -> bool:
        """Serve one request, or end the connection if it takes too long."""
        check_host(req)
        self.requests_in_progress += 1
        try:
            with gevent.Timeout(LONGEST_REQUEST_SECONDS, exception=False):
                keep_open: bool = super().handle_request(listener_name, req, *arguments)
                return keep_open
        finally:
            self.requests_in_progress -= 1
        raise StopIteration

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop after the last answer; gunicorn checks once a second, and waits for idle clients."""
        super().handle_exit(sig, frame)
        gevent.spawn(self.end)

    def end(self) -> None:
        """End the process once no request is in progress, without Python's own clean-up.

        Python would destroy every imported module, which takes 45 ms of processor time
        (measured), just when the next release starts to serve. No output is buffered.
        """
        while self.requests_in_progress:
            gevent.sleep(POLL_SECONDS)
        os._exit(0)

    def handle_error(
        self, req: Request | None, connection: socket.socket, addr: Address, exc: BaseException
    ) -> None:
        """Answer bytes that are not valid HTTP, which never reach Flask."""
        for kind, status in STATUSES:
            if isinstance(exc, kind):
                self.log.warning("invalid request from %s: %r", addr[0], str(exc))
                connection.sendall(problem_message(status))
                return
        super().handle_error(req, connection, addr, exc)


def check_host(req: Request) -> None:
    """Check the header Host, which HTTP/1.1 requires exactly once (RFC 9112, 3.2).

    Raises:
        errors.InvalidHeader: it is missing, doubled or malformed.

    """
    hosts = [value for name, value in req.headers if name == "HOST"]
    optional = req.version < (1, 1) and not hosts
    if not optional and not (len(hosts) == 1 and HOST.fullmatch(hosts[0])):
        raise errors.InvalidHeader("HOST")


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
