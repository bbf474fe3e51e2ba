"""One answer, within a time for all of it: a service may want to keep who asks waiting."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
from classvm.release import asking, gap, health, outside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

answers = health.answers  # before the tests' own stands in for it
SECONDS, PAUSE = 0.3, 0.05
PLAIN = b"HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n"


@contextlib.contextmanager
def server(pieces: Callable[[], Iterator[bytes]]) -> Iterator[int]:
    """Serve the pieces of an answer to each client, with a pause before each but the first."""
    ended = threading.Event()

    def answer(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.recv(4096)
            for piece in pieces():
                client.sendall(piece)
                if ended.wait(PAUSE):
                    return

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=answer, args=listener.accept()[:1], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        ended.set()


def byte_by_byte() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 "
    while True:
        yield b"O"


def header_by_header() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        yield b"A: b\r\n"


def without_a_pause() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 " + b"O" * (4 * asking.LONGEST_HEAD)


ENDLESS = [byte_by_byte, header_by_header, without_a_pause]


def status(port: int) -> int:
    return asking.status_of("127.0.0.1", port, "HEAD", "x", SECONDS)


@pytest.mark.parametrize("pieces", ENDLESS)
def test_an_answer_without_an_end_is_none_and_nobody_waits_for_it(
    pieces: Callable[[], Iterator[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (gap, health, outside):
        monkeypatch.setattr(module, "ANSWER_SECONDS", SECONDS)
    with server(pieces) as port:
        before = time.monotonic()
        with pytest.raises(OSError, match=r"timed out|does not end"):
            status(port)
        assert not answers(port)
        assert not gap.answers(port)
        assert outside.ask("127.0.0.1", port).silence
        assert time.monotonic() - before < 20


@pytest.mark.parametrize(
    "answer", [PLAIN, b"HTTP/1.0 204 \n\n", b"HTTP/1.1 204 No Content\r\nServer: x\r\n"]
)
def test_an_answer_that_ends_counts(answer: bytes) -> None:
    with server(lambda: iter([answer])) as port:
        assert status(port) == 204
        assert answers(port)
        assert gap.answers(port)
        assert outside.ask("127.0.0.1", port).silence == ""


def test_an_answer_in_pieces_counts() -> None:
    with server(lambda: iter([PLAIN[:9], PLAIN[9:30], PLAIN[30:]])) as port:
        assert status(port) == 204


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 2 x\r\n\r\n"])
def test_what_is_not_http_is_no_answer(answer: bytes) -> None:
    with server(lambda: iter([answer])) as port, pytest.raises(OSError, match="not one of HTTP"):
        status(port)


def test_what_is_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        heard: list[bytes] = []

        def answer() -> None:
            client, _ = listener.accept()
            with client:
                heard.append(client.recv(4096))
                client.sendall(PLAIN)

        thread = threading.Thread(target=answer)
        thread.start()
        assert asking.status_of("127.0.0.1", port, "GET", "me", 9) == 204
        thread.join()
    first, *rest = heard[0].decode().split("\r\n")
    assert first == "GET / HTTP/1.1"
    assert f"Host: 127.0.0.1:{port}" in rest
    assert "User-Agent: me" in rest
