"""gunicorn, with the settings of production, on a free port of the loopback."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

import gevent
import pytest
from gunicorn.workers.ggevent import GeventWorker
from src import access_log, spec, worker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOOPBACK = "127.0.0.1"
HEALTH = f"{spec.base_path()}/health"
START_SECONDS = 15
ANSWER_SECONDS = 1
STOP_SECONDS = 2
CLIENTS = 300


class Server:
    """A running gunicorn and the files it writes to."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
        self.process = process
        self.port = port
        self.log = folder / "access.log"

    def connect(self) -> socket.socket:
        return socket.create_connection((LOOPBACK, self.port), timeout=5)

    def get(self, path: str, timeout: float = 5) -> int:
        """Return the status of a GET request."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=timeout)
        try:
            connection.request("GET", path, headers={"User-Agent": 'a"b\\c'})
            response = connection.getresponse()
            response.read()
            return response.status
        finally:
            connection.close()

    def raw(self, message: bytes) -> bytes:
        """Send ``message`` and return all bytes until the server hangs up."""
        with self.connect() as client:
            client.sendall(message)
            return b"".join(iter(lambda: client.recv(4096), b""))

    def stop(self) -> float:
        """Send SIGTERM; return the seconds until the end."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=10)
        return time.monotonic() - started


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serve(service: Path, folder: Path, *extra: str) -> Iterator[Server]:
    """Run gunicorn; ``extra`` arguments overrule gunicorn.conf.py."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-b", f"{LOOPBACK}:{port}", *extra]
    with (
        (folder / "access.log").open("wb") as out,
        (folder / "err.log").open("wb") as err,
    ):
        process = subprocess.Popen(
            command,
            cwd=service,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=out,
            stderr=err,
        )
    server = Server(process, port, folder)
    try:
        wait_until_ready(server)
        yield server
    finally:
        process.kill()
        process.wait(timeout=10)


def wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            assert server.get(HEALTH) == 200
        except ConnectionError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("gunicorn did not start")


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
        ):
            head, _, body = server.raw(message).partition(b"\r\n\r\n")
            assert b"application/problem+json" in head, message[:40]
            assert head.split()[1] == str(status).encode()
            assert json.loads(body)["status"] == status
        assert server.get("/nope%0A%22") == 404
        server.stop()
        entries = [json.loads(line) for line in server.log.read_text().splitlines()]
    last = next(entry for entry in entries if entry["status"] == 404)
    assert last["target"] == "/nope%0A%22"
    assert last["user_agent"] == 'a"b\\c'


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
    def serve_slowly(_worker: object) -> bool:
        gevent.sleep(seconds)
        return True

    monkeypatch.setattr(worker, "LONGEST_REQUEST_SECONDS", 0.05)
    monkeypatch.setattr(GeventWorker, "handle_request", serve_slowly)
    ours = object.__new__(worker.Worker)
    if in_time:
        assert ours.handle_request() is True
    else:
        # gunicorn takes it as the order to close the connection.
        with pytest.raises(StopIteration):
            ours.handle_request()
