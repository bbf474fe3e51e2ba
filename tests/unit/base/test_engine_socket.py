"""The engine's own socket, where an account may open it."""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest
from classvm.base import docker, engine_socket
from classvm.base.command import TimeLimitError
from classvm.base.docker import CONTAINERD_ROOT, Docker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INFO = {"LoggingDriver": "local", "DockerRootDir": "/d", "DriverStatus": None}
IMAGE = {"Id": "i1", "Size": 7, "Config": {"Labels": {"a": "b"}}, "RepoTags": ["x/y:1"]}
LABELLED = "/images/json?filters=%7B%22label%22%3A%20%5B%22a%22%5D%7D"
ANSWERS: dict[str, Any] = {
    "/info": INFO,
    "/exec/fails/json": {"Running": False, "ExitCode": 3},
    "/exec/odd/json": {"Running": False, "ExitCode": None},
    "/version": {"Version": "29.1.3"},
    "/images/x/y:1/json": IMAGE,
    LABELLED: [
        {"RepoTags": ["x/y:1", "x/y:2"], "Labels": {"a": "b"}},
        {"RepoTags": ["<none>:<none>"], "Labels": {"a": "c"}},
        {"RepoTags": None, "Labels": {"a": "d"}},
    ],
}


class Handler(BaseHTTPRequestHandler):
    """Answers as an engine does."""

    def do_GET(self) -> None:
        found = ANSWERS.get(self.path)
        if self.path == "/broken":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"no JSON")
            return
        status = 500 if self.path == "/failing" else 404 if found is None else 200
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(found or {"message": "No such object"}).encode())

    def do_POST(self) -> None:
        """Begin a program in a container, or tell what it prints until it ends."""
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/containers/c/exec":
            self.send_response(201)
            self.end_headers()
            self.wfile.write(json.dumps({"Id": wanted["Cmd"][0]}).encode())
        elif self.path == "/containers/stopped/exec":
            self.send_error(409)
        elif self.path == "/exec/endless/start":
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(b"y" * 65536)
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"\x01\0\0\0\0\0\0\x03no\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def address_string(self) -> str:
        return "a client without an address"


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve an engine's answers on a socket, and have it taken for this machine's."""
    path = str(tmp_path / "e.sock")
    with socketserver.ThreadingUnixStreamServer(path, Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(docker, "SOCKET", path)
        yield path
        server.shutdown()


def test_an_answer(engine: str) -> None:
    assert engine_socket.get(engine, "/info") == (200, INFO)
    assert engine_socket.get(engine, "/images/none/json") == (404, {"message": "No such object"})


@pytest.mark.parametrize("resource", ["/failing", "/broken"])
def test_what_is_no_answer(resource: str, engine: str) -> None:
    assert engine_socket.get(engine, resource) is None


def test_nobody_there(tmp_path: Path) -> None:
    assert engine_socket.get(str(tmp_path / "none"), "/info") is None


@pytest.mark.usefixtures("engine")
def test_how_things_stand_is_asked_without_a_program(program: Callable[..., Path]) -> None:
    """To start the client takes 25 ms, and for `info` 100 ms."""
    calls = program("docker", "exit 1")
    client = Docker()
    assert client.engine_version() == "29.1.3"
    assert client.engine_problem() == ""
    assert (client.log_driver(), client.data_root()) == ("local", "/d")
    assert client.labels_of("x/y:1", "none") == {"x/y:1": {"a": "b"}}
    assert client.labels_of_images("a") == {"x/y:1": {"a": "b"}, "x/y:2": {"a": "b"}}
    assert client.container("none") is None
    assert not calls.exists()


@pytest.mark.usefixtures("engine")
def test_who_needs_sudo_asks_with_the_client(program: Callable[..., Path]) -> None:
    status = '[["driver-type", "io.containerd.snapshotter.v1"]]'
    calls = program("sudo", f"""echo '{{"DriverStatus": {status}}}'""")
    assert Docker(as_root=("sudo",)).data_root() == CONTAINERD_ROOT
    assert "docker info" in calls.read_text()


@pytest.mark.usefixtures("engine")
def test_a_program_in_a_container_is_run_without_the_client(program: Callable[..., Path]) -> None:
    calls = program("docker", "exit 1")
    assert Docker().exec_code(5, "c", "fails", "now") == 3
    assert not calls.exists()


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("words", [("stopped", "fails"), ("c", "odd"), ("c", "unknown")])
def test_what_the_engine_cannot_say_is_asked_with_the_client(
    words: tuple[str, str], program: Callable[..., Path]
) -> None:
    calls = program("docker", "exit 126")
    assert Docker().exec_code(5, *words) == 126
    assert f"exec {' '.join(words)}" in calls.read_text()


@pytest.mark.usefixtures("engine")
def test_a_program_in_a_container_has_its_time_although_it_prints_without_end() -> None:
    with pytest.raises(TimeLimitError, match="endless did not end within 0 s"):
        Docker().exec_code(0.2, "c", "endless")
