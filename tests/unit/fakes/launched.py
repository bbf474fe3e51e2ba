"""Start programs as a student's container does: by kit/launch.py, on a free port."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import pytest
import tree

if TYPE_CHECKING:
    from pathlib import Path

KIT = tree.ROOT / "roles/service_image/files/kit"
START_SECONDS = 20


class Launched:
    """A program that runs as in a container, and its folder."""

    def __init__(self, folder: Path, words: tuple[str, ...], port: int) -> None:
        self.port = port
        self.folder = folder
        with (folder / ".out").open("wb") as out, (folder / ".err").open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, str(KIT / "launch.py"), *words],
                cwd=folder,
                env=environment(port),
                stdout=out,
                stderr=err,
            )

    @property
    def out(self) -> str:
        return (self.folder / ".out").read_text()

    @property
    def err(self) -> str:
        return (self.folder / ".err").read_text()

    def get(self, path: str = "/", agent: str = "test") -> tuple[int, str]:
        """Return status and body of a GET request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers={"User-Agent": agent})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def wait(self) -> tuple[int, str]:
        """Wait for the first answer at "/" and return it."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                return self.get()
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
        pytest.fail(f"no answer, exit code {self.process.poll()}: {self.out}{self.err}")

    def wait_for(self, words: str) -> None:
        """Wait until the program or the kit has printed something."""
        deadline = time.monotonic() + START_SECONDS
        while words not in self.out + self.err:
            assert time.monotonic() < deadline, self.out + self.err
            assert self.process.poll() is None, self.out + self.err
            time.sleep(0.02)

    def code(self) -> int:
        """Return the exit code of a program that ends by itself."""
        return self.process.wait(START_SECONDS)

    def stop(self) -> tuple[int, float]:
        """Send SIGTERM, as `docker stop` does; return exit code and seconds."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10), time.monotonic() - started


def environment(port: int) -> dict[str, str]:
    """Return the variables of an image that the kit has built."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        **kept,
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "CLASSVM_PORT": str(port),
    }


def write(folder: Path, files: dict[str, str]) -> None:
    """Write the files of an app."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))
