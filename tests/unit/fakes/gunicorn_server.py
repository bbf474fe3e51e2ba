"""Run gunicorn with the settings of production, on a free port of the loopback."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from free_ports import free_port
from src import spec

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPBACK = "127.0.0.1"
HEALTH = f"{spec.base_path()}/health"
START_SECONDS = 15


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

    def entries(self) -> list[dict[str, Any]]:
        """Return the lines of the access log."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def signal_workers(self, number: signal.Signals) -> None:
        """Send a signal to the worker processes, not to their parent."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for pid in children.read_text().split():
            os.kill(int(pid), number)

    def stop(self) -> float:
        """Send SIGTERM; return the seconds until the end."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=10)
        return time.monotonic() - started


@contextmanager
def serve(service: Path, folder: Path, *extra: str, ready: str = HEALTH) -> Iterator[Server]:
    """Run gunicorn until ``ready`` answers; ``extra`` arguments overrule gunicorn.conf.py."""
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
        wait_until_ready(server, ready)
        yield server
    finally:
        process.kill()
        process.wait(timeout=10)


def wait_until_ready(server: Server, path: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            assert server.get(path) == 200
        except ConnectionError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("gunicorn did not start")
