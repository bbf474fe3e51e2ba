from __future__ import annotations

import socketserver
import threading
import time

import pytest
from classvm.contract import client
from classvm.contract.requests import Call
from tiny_service import GET_PAGE, TIMEOUT, Reply, Service


class Raw(socketserver.TCPServer):
    """A server that sends what it is told, whatever it is asked."""

    allow_reuse_address = True

    def __init__(self, chunks: list[bytes], pause: float = 0) -> None:
        super().__init__(("127.0.0.1", 0), RawHandler)
        self.chunks, self.pause = chunks, pause


class RawHandler(socketserver.BaseRequestHandler):
    server: Raw

    def handle(self) -> None:
        self.request.recv(10_000)
        for chunk in self.server.chunks:
            try:
                self.request.sendall(chunk)
            except OSError:  # the client has heard enough
                return
            time.sleep(self.server.pause)


def ask(server: Raw, timeout: float) -> client.Answer:
    with server:
        threading.Thread(target=server.handle_request).start()
        return client.send(
            Call("", "", "GET", f"http://127.0.0.1:{server.server_address[1]}"), timeout
        )


HEAD = b"HTTP/1.1 200 OK\r\n"


def test_a_stream_without_end_is_given_up() -> None:
    events = [HEAD + b"Content-Type: text/event-stream\r\n\r\n", *[b"data: 1\n\n"] * 100]
    started = time.monotonic()
    answer = ask(Raw(events, pause=0.05), timeout=0.1)
    assert time.monotonic() - started < 2
    assert answer.body.startswith(b"data: 1")
    assert not answer.is_whole


def test_of_a_long_answer_no_more_is_read_than_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_BODY", 100_000)
    answer = ask(Raw([HEAD + b"\r\n", *[b"x" * 10_000] * 1000]), timeout=5)
    assert 100_000 <= len(answer.body) < 200_000
    assert not answer.is_whole


def test_an_answer_that_breaks_off_is_none() -> None:
    with pytest.raises(client.NoAnswerError, match="IncompleteRead"):
        ask(Raw([HEAD + b"Content-Length: 10\r\n\r\n12345"]), timeout=5)


def call(service: Service) -> Call:
    return Call("page", "", "GET", f"{service.url}/e222/page")


def test_an_answer_is_read_whole(service: Service) -> None:
    answer = client.send(call(service), TIMEOUT)
    assert (answer.status, answer.body) == (200, b"<h1>Hello</h1>")
    assert answer.headers["content-TYPE"].startswith("text/html")


def test_a_redirect_is_not_followed(service: Service) -> None:
    service.replies[GET_PAGE] = Reply(302, "text/html", "-", {"Location": "/e222/page"})
    assert client.send(call(service), TIMEOUT).status == 302


def test_a_proxy_is_not_used(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert client.send(call(service), TIMEOUT).status == 200


def test_silence_has_a_reason(closed_url: str, service: Service) -> None:
    refused = Call("", "", "GET", closed_url)
    assert "connection refused" in client.reason_for_silence(refused, TIMEOUT)
    assert client.reason_for_silence(call(service), TIMEOUT) == ""
    with pytest.raises(
        client.NoAnswerError, match=r"the host name in no\.such\.invalid is unknown"
    ):
        client.send(Call("", "", "GET", "http://no.such.invalid/"), TIMEOUT)
