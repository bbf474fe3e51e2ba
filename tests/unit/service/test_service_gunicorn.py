"""gunicorn, with the settings of production, on a free port of the loopback."""

from __future__ import annotations

import http.client
import json
import signal
import time
from contextlib import ExitStack
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

import gevent
import pytest
from gunicorn.workers.ggevent import GeventWorker
from gunicorn_server import HEALTH, serve
from src import access_log, spec, worker

if TYPE_CHECKING:
    from pathlib import Path

    from gunicorn_server import Server

ANSWER_SECONDS = 1
STOP_SECONDS = 2
CLIENTS = 300


def attack(server: Server, stack: ExitStack) -> None:
    """Open silent connections, and ones that stall within the request line."""
    for _ in range(CLIENTS):
        stack.enter_context(server.connect())
        stack.enter_context(server.connect()).sendall(b"GET /e22")
    time.sleep(0.3)


def test_silent_and_stalled_clients_block_neither_answers_nor_the_stop(
    service: Path, tmp_path: Path
) -> None:
    with serve(service, tmp_path) as server, ExitStack() as stack:
        attack(server, stack)
        assert server.get(HEALTH, timeout=ANSWER_SECONDS) == 200
        assert server.stop() < STOP_SECONDS
        assert server.process.returncode == 0


def test_a_request_at_hand_is_answered_before_the_stop(service: Path, tmp_path: Path) -> None:
    body = b'{"sepal_length": 5, "sepal_width": 3, "petal_length": 1, "petal_width": 0.2}'
    head = (
        f"POST {spec.base_path()}/prediction HTTP/1.1\r\nHost: x\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with serve(service, tmp_path) as server, server.connect() as client:
        client.sendall(head + body[:10])
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert server.process.poll() is None
        client.sendall(body[10:])
        assert b" 200 OK" in client.recv(4096)
        assert server.process.wait(timeout=STOP_SECONDS) == 0


def keeps(client: http.client.HTTPConnection) -> bool:
    """Send a request over a kept connection, and return whether the answer keeps it, too."""
    client.request("GET", HEALTH)
    answer = client.getresponse()
    answer.read()
    assert answer.status == 200
    return not answer.will_close


def test_a_signal_ends_connections_without_cutting_one_off(service: Path, tmp_path: Path) -> None:
    with serve(service, tmp_path) as server:
        idle, busy = (client_of(server) for _ in range(2))
        assert keeps(idle)
        assert keeps(busy)
        sockets = idle.sock, busy.sock
        server.process.send_signal(signal.SIGUSR1)
        time.sleep(0.5)
        # Neither the signal nor the time since has closed them: their clients may be about to send.
        assert (idle.sock, busy.sock) == sockets
        assert not keeps(busy)
        assert not keeps(idle)
        # It goes on running, also for those who connect all the same.
        assert server.get(HEALTH) == 200
        assert server.stop() < STOP_SECONDS


def test_without_the_signal_connections_stay(service: Path, tmp_path: Path) -> None:
    with serve(service, tmp_path) as server:
        client = client_of(server)
        assert all(keeps(client) for _ in range(3))


def client_of(server: Server) -> http.client.HTTPConnection:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    client.auto_open = 0  # it never connects again by itself
    client.connect()
    return client


ABOUT_GARBAGE = """
import gc


def app(environ, start_response):
    start_response("200 OK", [])
    return [f"looks: {gc.isenabled()}, passes over: {gc.get_freeze_count() > 10_000}".encode()]
"""


def test_garbage_is_looked_for_but_not_among_what_was_loaded(service: Path, tmp_path: Path) -> None:
    (tmp_path / "about_garbage.py").write_text(ABOUT_GARBAGE)
    instead = ("--pythonpath", str(tmp_path), "about_garbage:app")
    with serve(service, tmp_path, *instead) as server:
        said = server.raw(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"looks: True, passes over: True" in said


def test_threads_instead_of_greenlets_are_blocked(service: Path, tmp_path: Path) -> None:
    threads = (
        "-k",
        "gthread",
        "--threads",
        "8",
        "-c",
        "/dev/null",
        "server:create_app()",
    )
    with serve(service, tmp_path, *threads) as server, ExitStack() as stack:
        attack(server, stack)
        with pytest.raises(TimeoutError):
            server.get(HEALTH, timeout=ANSWER_SECONDS)


def test_what_is_no_http_gets_a_problem_and_every_request_a_log_line(
    service: Path, tmp_path: Path
) -> None:
    with serve(service, tmp_path) as server:
        for message, status in (
            (b"nonsense\r\n\r\n", 400),
            (b"GET / HTTP/9.9\r\n\r\n", 400),
            (b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\n\r\n", 414),
            (b"GET / HTTP/1.1\r\n" + b"A: x\r\n" * 200 + b"\r\n", 431),
            (b"GET / HTTP/1.1\r\nTransfer-Encoding: x\r\n\r\n", 501),
            (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: <b>\r\n\r\n", 400),
        ):
            head, _, body = server.raw(message).partition(b"\r\n\r\n")
            assert b"application/problem+json" in head, message[:40]
            assert head.split()[1] == str(status).encode()
            assert json.loads(body)["status"] == status
        assert server.get("/nope%0A%22") == 404
        server.stop()
        entries = server.entries()
    last = next(entry for entry in entries if entry["status"] == 404)
    assert last["target"] == "/nope%0A%22"
    assert last["user_agent"] == 'a"b\\c'


def test_a_host_is_optional_before_http_1_1(service: Path, tmp_path: Path) -> None:
    hello = f"GET {spec.base_path()}/hello HTTP/1.".encode()
    with serve(service, tmp_path) as server:
        for rest in (b"0\r\n\r\n", b"1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n"):
            assert b" 200 OK\r\n" in server.raw(hello + rest)


def test_a_body_that_never_arrives_does_not_block_others(service: Path, tmp_path: Path) -> None:
    head = (
        f"POST {spec.base_path()}/prediction HTTP/1.1\r\nHost: x\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    ).encode()
    with serve(service, tmp_path) as server, ExitStack() as stack:
        for _ in range(CLIENTS):
            stack.enter_context(server.connect()).sendall(head)
        assert server.get(HEALTH, timeout=ANSWER_SECONDS) == 200


def test_no_request_can_forge_a_line_of_the_log() -> None:
    response = SimpleNamespace(status_code=200, sent=0)
    environ = {"RAW_URI": '/"}\n{"status": 200', "HTTP_USER_AGENT": "\\\x1b[2J\u2028"}
    line = json.dumps(access_log.entry(response, environ, timedelta(seconds=0.0125)))
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["target"] == environ["RAW_URI"]
    assert json.loads(line)["duration_ms"] == 12.5


@pytest.mark.parametrize(("seconds", "in_time"), [(0.0, True), (5.0, False)])
def test_a_request_that_takes_too_long_is_ended(
    monkeypatch: pytest.MonkeyPatch, seconds: float, *, in_time: bool
) -> None:
    def serve_slowly(*_: object) -> bool:
        gevent.sleep(seconds)
        return True

    monkeypatch.setattr(worker, "LONGEST_REQUEST_SECONDS", 0.05)
    monkeypatch.setattr(GeventWorker, "handle_request", serve_slowly)
    ours = object.__new__(worker.Worker)
    request = SimpleNamespace(headers=[("HOST", "x")], version=(1, 1))
    if in_time:
        assert ours.handle_request("listener", request) is True
    else:
        # gunicorn takes it as the order to close the connection.
        with pytest.raises(StopIteration):
            ours.handle_request("listener", request)
