"""Send requests and wait for answers."""

from __future__ import annotations

import dataclasses
import http.client
import socket
import time
from urllib.parse import urlsplit

from .requests import Call

DEFAULT_TIMEOUT = 5.0
PAUSE_BETWEEN_TRIES = 0.2


class NoAnswerError(Exception):
    """A request got no HTTP answer; the text says why, for the reader of a report."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """One HTTP response; ``headers`` ignores the case of names, as RFC 9110 asks."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    seconds: float


def send(call: Call, timeout: float) -> Answer:
    """Send one request on a connection of its own and read the whole answer.

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
    headers = {"Accept": "*/*", "Connection": "close", **call.headers}
    started = time.monotonic()
    try:
        connection.request(call.method, target or "/", body=call.body, headers=headers)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswerError(explain(error, url.netloc, timeout)) from error
    finally:
        connection.close()
    return Answer(response.status, response.msg, body, time.monotonic() - started)


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
