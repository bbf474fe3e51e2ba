"""The gap as a real client of a real port sees it."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from classvm.release import gap
from free_ports import free_port


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers, but not with success: that is the contract's business."""

    status = 404

    def do_GET(self) -> None:
        self.send_error(self.status)

    def log_message(self, *_: object) -> None: ...


class Service:
    """A service on a port of its own that can be stopped and started."""

    def __init__(self) -> None:
        self.port = free_port()
        self.server: http.server.ThreadingHTTPServer | None = None

    def start(self) -> None:
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,)).start()

    def stop(self) -> None:
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.stop()


def test_without_an_interruption_the_gap_is_short(service: Service) -> None:
    service.start()
    watch = gap.Watch(service.port)
    with watch:
        time.sleep(0.2)
    assert watch.gap is not None
    assert 0 < watch.gap < 0.2
    assert 0.2 <= watch.seconds < 1


def test_an_interruption_is_measured(service: Service) -> None:
    service.start()
    watch = gap.Watch(service.port)
    with watch:
        service.stop()
        time.sleep(0.5)
        service.start()
    assert watch.gap is not None
    assert 0.5 <= watch.gap < 1.5


def test_another_address_is_watched(service: Service) -> None:
    service.start()
    here, elsewhere = gap.Watch(service.port, "127.0.0.1"), gap.Watch(service.port, "127.0.0.2")
    with here, elsewhere:
        time.sleep(0.05)
    assert here.gap is not None
    assert elsewhere.gap is None


def test_who_waits_for_the_end_does_not_wait_for_the_next_turn(service: Service) -> None:
    service.start()
    watch = gap.Watch(service.port, poll_seconds=60)
    began = time.monotonic()
    with watch:
        time.sleep(0.05)
    assert time.monotonic() - began < gap.LAST_SECONDS
    assert watch.gap is not None
    assert watch.gap >= 0.05


def test_where_nobody_answered_before_there_is_no_gap(service: Service) -> None:
    watch = gap.Watch(service.port)
    with watch:
        service.start()
    assert watch.gap is None
    assert watch.seconds > 0


def test_who_does_not_come_back_is_waited_for(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gap, "LAST_SECONDS", 0.3)
    service.start()
    watch = gap.Watch(service.port)
    with watch:
        service.stop()
    assert watch.gap is not None
    assert watch.gap >= 0.3
    assert watch.seconds < watch.gap


def test_a_failure_passes_through(service: Service) -> None:
    service.start()
    watch = gap.Watch(service.port)
    with pytest.raises(KeyError), watch:
        raise KeyError
    assert watch.gap is not None


def test_who_listens_but_does_not_answer_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gap, "ANSWER_SECONDS", 0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert not gap.answers(silent.getsockname()[1])


def test_who_says_no_http_does_not_answer(service: Service) -> None:
    with socket.socket() as rude:
        rude.bind(("127.0.0.1", 0))
        rude.listen()

        def answer() -> None:
            connection, _ = rude.accept()
            connection.sendall(b"SSH-2.0-x\r\n")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        assert not gap.answers(rude.getsockname()[1])
        thread.join()
    service.start()
    assert gap.answers(service.port)


def test_an_edge_with_nobody_behind_it_does_not_answer(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.start()
    monkeypatch.setattr(Handler, "status", 503)
    assert not gap.answers(service.port)
