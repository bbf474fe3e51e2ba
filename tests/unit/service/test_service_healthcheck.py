"""What Docker learns of the service: an exit code, and a line for its log."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
import tree
from free_ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


class Handler(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        assert self.path.endswith("/health")
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port
        server.shutdown()


def check(port: int) -> subprocess.CompletedProcess[str]:
    """Run the check as the image does."""
    return subprocess.run(
        [sys.executable, "-S", "healthcheck.py"],
        cwd=tree.ROOT / "service",
        # The folder is an app that is deployed as it is.
        env={"CONTAINER_PORT": str(port), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        check=False,
        text=True,
    )


def test_a_service_that_is_ready(port: int) -> None:
    done = check(port)
    assert (done.returncode, done.stdout) == (0, "HTTP/1.0 200 OK {}\n")


def test_a_service_that_is_not_ready(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Handler, "status", 503)
    done = check(port)
    assert done.returncode == 1
    assert "503" in done.stdout


def test_nobody_there() -> None:
    done = check(free_port())
    assert done.returncode == 1
    assert done.stdout.startswith("no answer: ")
