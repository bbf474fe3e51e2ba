from __future__ import annotations

import pytest
from classvm.contract import client
from classvm.contract.requests import Call
from tiny_service import GET_PAGE, TIMEOUT, Reply, Service


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
