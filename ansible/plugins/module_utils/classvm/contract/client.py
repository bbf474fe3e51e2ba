"""Send requests and wait for answers."""

from __future__ import annotations

import dataclasses
import http.client
import socket
import time
from urllib.parse import urlsplit

from .requests import Call

DEFAULT_TIMEOUT = 5.0
# `make logs` leaves out whoever has this name.
USER_AGENT = "classvm-contract"
PAUSE_BETWEEN_TRIES = 0.2
# How much of an answer is read, and for how many times the longest silence.
MAX_BODY, CHUNK, MOST_SILENCES = 10_000_000, 65_536, 4


class NoAnswerError(Exception):
    """A request got no HTTP answer; the text says why, for the reader of a report."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """One HTTP response; ``headers`` ignores the case of names, as RFC 9110 asks.

    ``is_whole`` is False when reading the body was given up: it was too long, or did not end.
    """

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    seconds: float
    is_whole: bool = True


def send(call: Call, timeout: float) -> Answer:
    """Send one request on a connection of its own and read the answer.

    Redirects are not followed and proxies are not used: the answer judged is the
    one of the service itself. ``timeout`` is the longest silence, in seconds.

    Raises:
        NoAnswerError: there was no complete HTTP answer.

    """
    url = urlsplit(call.url)
    host = url.hostname or ""
    secure = url.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(host, url.port, timeout=timeout)
    target = url.path + ("?" + url.query if url.query else "")
    headers = {"Accept": "*/*", "Connection": "close", "User-Agent": USER_AGENT, **call.headers}
    started = time.monotonic()
    try:
        connection.request(call.method, target or "/", body=call.body, headers=headers)
        response = connection.getresponse()
        body, is_whole = read_body(response, started + MOST_SILENCES * timeout)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswerError(explain(error, url.netloc, timeout)) from error
    finally:
        connection.close()
    return Answer(response.status, response.msg, body, time.monotonic() - started, is_whole)


def read_body(response: http.client.HTTPResponse, deadline: float) -> tuple[bytes, bool]:
    """Return a body, and whether it is all of it: a stream of events may never end.

    Args:
        response: the response, of which nothing was read.
        deadline: when to give up, as `time.monotonic` tells it.

    Raises:
        http.client.HTTPException: the connection ended before the body.

    """
    body = b""
    while len(body) < MAX_BODY and time.monotonic() < deadline:
        chunk = response.read1(CHUNK)
        if not chunk:
            if response.length:
                raise http.client.IncompleteRead(body, response.length)
            return body, True
        body += chunk
    return body, False


def explain(error: Exception, server: str, timeout: float) -> str:
    """Say in words why there was no answer from ``server`` (host:port)."""
    if isinstance(error, socket.timeout):
        return f"no answer from {server} within {timeout:g} s"
    if isinstance(error, ConnectionRefusedError):
        return f"connection refused: nothing listens on {server}; is the service running?"
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return f"{server} closed the connection without an answer"
    if isinstance(error, socket.gaierror):
        return f"the host name in {server} is unknown; correct the URL"
    return f"no usable answer from {server}: {error or type(error).__name__}"


def wait_for_answer(call: Call, seconds: float, timeout: float) -> str:
    """Repeat ``call`` until the service answers anything at all.

    An accepted connection is not enough: the proxy of a container engine accepts
    connections before the program in the container listens. The last try may end
    up to ``timeout`` seconds after ``seconds`` have passed.

    Returns:
        "" after an answer, else the reason of the last failure.

    """
    deadline = time.monotonic() + seconds
    reason = reason_for_silence(call, timeout)
    while reason and time.monotonic() < deadline:
        time.sleep(PAUSE_BETWEEN_TRIES)
        reason = reason_for_silence(call, timeout)
    return reason


def reason_for_silence(call: Call, timeout: float) -> str:
    """Send ``call`` once and say why there was no answer; "" when there was one."""
    try:
        send(call, timeout)
    except NoAnswerError as error:
        return str(error)
    return ""
