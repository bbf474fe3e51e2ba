"""The health check of students' images: any HTTP answer is one."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading

import pytest
from free_ports import free_port
from launched import KIT, environment


def check(port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", str(KIT / "health.py")],
        env=environment(port),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("status", [200, 404, 500])
def test_any_answer_counts(status: int) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(status)
            self.end_headers()

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = check(server.server_port)
        server.shutdown()
    assert (done.returncode, done.stdout) == (0, f"{status}\n")


def test_no_answer_is_none() -> None:
    done = check(free_port())
    assert done.returncode == 1
    assert "no answer" in done.stdout
