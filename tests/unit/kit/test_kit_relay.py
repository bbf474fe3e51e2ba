"""A program that serves by itself is reached at the published port, whatever port it opens."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from classvm_kit import PORT, relay
from classvm_kit.relay import Listener
from free_ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from launched import Launched

LOCAL, ALL = "127.0.0.1", "0.0.0.0"


@pytest.mark.parametrize(
    ("line", "listener"),
    [
        ("   0: 0100007F:1388 00000000:0000 0A 00000000:00000000", Listener(LOCAL, 5000)),
        ("   0: 00000000:1F40 00000000:0000 0A 00000000:00000000", Listener(ALL, 8000)),
        ("   0: 0100007F:1388 0100007F:9999 01 00000000:00000000", None),
        ("   0: 0B00007F:9999 00000000:0000 0A 00000000:00000000", None),
        (f"   0: {'0' * 32}:1F40 {'0' * 32}:0000 0A 00000000:00000000", Listener("::", 8000)),
        (f"   0: {'0' * 24}01000000:1F40 {'0' * 32}:0000 0A 0:0", Listener("::1", 8000)),
    ],
)
def test_lines_of_the_kernels_table(line: str, listener: Listener | None) -> None:
    assert relay.parse(line) == listener


def test_the_listeners_of_this_machine_are_found() -> None:
    with socket.create_server((LOCAL, 0)) as server:
        listener = Listener(LOCAL, server.getsockname()[1])
        assert listener in relay.listeners()
    assert listener not in relay.listeners()


@pytest.mark.parametrize(
    ("ports", "expected", "chosen"),
    [
        ([5000], 0, 5000),
        ([7000, 5000], 0, 5000),
        ([5000, 7000], 7000, 7000),
        ([5000, 7000, PORT], 7000, PORT),
        ([5000], 7000, 5000),
    ],
)
def test_the_published_port_the_expected_one_then_the_lowest(
    ports: list[int], expected: int, chosen: int
) -> None:
    found = relay.choose([Listener(LOCAL, port) for port in ports], expected)
    assert found is not None
    assert found.port == chosen


def test_one_that_others_can_reach_counts_first() -> None:
    assert relay.choose([Listener(LOCAL, PORT), Listener(ALL, PORT)], 0) == Listener(ALL, PORT)
    assert relay.choose([], 0) is None


def test_an_unexpected_port_gets_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "POLL_SECONDS", 0.001)
    first, expected = Listener(LOCAL, 5000), Listener(LOCAL, 7000)
    answers = [[], [first], [first], [first, expected]]
    monkeypatch.setattr(relay, "listeners", lambda: answers.pop(0) if answers[1:] else answers[0])
    assert relay.await_listener(7000, patience=0.05) == expected
    answers[:] = [[first]]
    assert relay.await_listener(7000, patience=0.05) == first


def serve(relayed: socket.socket, target: Listener) -> None:
    """Relay in the background, until the socket is closed."""

    def run() -> None:
        with contextlib.suppress(OSError):
            relay.relay(relayed, target)

    threading.Thread(target=run, daemon=True).start()


def test_bytes_go_both_ways_until_both_ends_have_ended() -> None:
    with socket.create_server((LOCAL, 0)) as server, socket.create_server((LOCAL, 0)) as relayed:
        target = Listener(LOCAL, server.getsockname()[1])
        serve(relayed, target)
        with socket.create_connection(relayed.getsockname(), timeout=5) as client:
            client.sendall(b"question")
            client.shutdown(socket.SHUT_WR)
            program, _ = server.accept()
            with program:
                assert program.makefile("rb").read() == b"question"
                program.sendall(b"answer")
            assert client.makefile("rb").read() == b"answer"


def test_a_program_that_has_gone_ends_the_connection() -> None:
    with socket.create_server((LOCAL, 0)) as relayed:
        target = Listener(LOCAL, free_port())
        serve(relayed, target)
        with socket.create_connection(relayed.getsockname(), timeout=5) as client:
            assert client.recv(1) == b""


OWN = """
import http.server, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(repr(sys.argv).encode())

http.server.HTTPServer(("127.0.0.1", {port}), Handler).serve_forever()
"""


def test_a_program_that_serves_by_itself_is_reached(launch: Callable[..., Launched]) -> None:
    port = free_port()
    text = OWN.format(port=port)
    launched = launch("--own-server", str(port), "server.py", "x", **{"server.py": text})
    assert launched.wait() == (200, "['server.py', 'x']")
    assert f"listens on 127.0.0.1:{port}" in launched.err
    code, seconds = launched.stop()
    assert code == 0
    assert seconds < 1.5


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("raise SystemExit(4)", 4),
        ("1 / 0", 1),
        ("import os; os.kill(os.getpid(), 9)", 137),
    ],
)
def test_the_end_of_a_program_that_serves_by_itself_is_the_containers(
    launch: Callable[..., Launched], text: str, code: int
) -> None:
    assert launch("--own-server", "1", "server.py", **{"server.py": text}).code() == code
