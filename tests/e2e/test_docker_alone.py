"""The folder of the service works on its own, with Docker and make alone."""

from __future__ import annotations

import http.server
import re
import threading
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from e2e.machine import ANYWHERE, Run, docker, free_port, run


@dataclass(frozen=True)
class Alone:
    """A copy of the folder, with names and a port that nothing else on this machine has."""

    folder: Path
    name: str = field(default_factory=lambda: f"alone-{uuid.uuid4().hex[:8]}")
    port: int = field(default_factory=free_port)

    def make(self, target: str, *env: str, port: int | None = None) -> Run:
        """Run make in the folder; `env` are arguments of env(1)."""
        words = (f"IMAGE={self.name}", f"CONTAINER={self.name}", f"HOST_PORT={port or self.port}")
        return run("env", *env, "make", target, *words, cwd=self.folder)

    def ok(self, target: str, *, port: int | None = None) -> str:
        """Run make, which has to succeed, and return what it printed."""
        made = self.make(target, port=port)
        assert made.code == 0, made.text
        return made.text

    def answer(self) -> str:
        """Return the service's answer to 1 + 4."""
        url = f"http://localhost:{self.port}/e222/sum/1/4"
        with urllib.request.urlopen(url, timeout=5) as got:
            return str(got.read().decode()).strip()

    def containers(self) -> list[str]:
        """Return the id of each of its containers, whatever their state."""
        names = ("--filter", f"name=^/{self.name}")
        return docker("ps", "--all", "--quiet", "--no-trunc", *names).split()

    def images(self) -> list[str]:
        """Return its images."""
        return docker("images", "--quiet", self.name).split()


@pytest.fixture
def alone(app: Path) -> Iterator[Alone]:
    """Return a copy of the folder; what it starts and builds is removed afterwards.

    Only its owner may read it, as in a clone of an account with umask 077.
    """
    it = Alone(app)
    for path in app.rglob("*"):
        path.chmod(path.stat().st_mode & ~0o077)
    yield it
    for container in it.containers():
        docker("rm", "--force", container)
    if it.images():
        docker("image", "rm", "--force", it.name)


@pytest.fixture
def built(alone: Alone) -> Alone:
    """Return the copy after `make docker-build`."""
    alone.ok("docker-build")
    return alone


@pytest.fixture
def busy() -> Iterator[int]:
    """Return a port that a process listens on."""
    with http.server.ThreadingHTTPServer(ANYWHERE, http.server.SimpleHTTPRequestHandler) as it:
        thread = threading.Thread(target=it.serve_forever)
        thread.start()
        yield it.server_port
        it.shutdown()
        thread.join()


def sentence(failed: Run) -> str:
    """Return the only line that a failed target prints, apart from make's own."""
    assert failed.code != 0
    lines = [line for line in failed.text.splitlines() if not line.startswith("make")]
    assert len(lines) == 1, failed.text
    return lines[0]


def test_build_makes_the_image_and_starts_nothing(alone: Alone) -> None:
    assert f"Built {alone.name}" in alone.ok("docker-build")
    assert alone.images()
    assert alone.containers() == []


def test_start_prints_where_the_service_answers(built: Alone) -> None:
    assert f"http://localhost:{built.port}/" in built.ok("docker-start")
    assert built.answer() == "5"


def test_start_again_is_harmless(built: Alone) -> None:
    for _ in range(2):
        built.ok("docker-start")
        assert built.answer() == "5"
        assert len(built.containers()) == 1


def test_start_moves_to_another_port(built: Alone) -> None:
    built.ok("docker-start", port=free_port())
    built.ok("docker-start")
    assert built.answer() == "5"
    assert len(built.containers()) == 1


def test_start_without_an_image_says_what_to_do(alone: Alone) -> None:
    assert sentence(alone.make("docker-start")).endswith("run make docker-build")


def test_stop_twice_is_harmless(built: Alone) -> None:
    built.ok("docker-start")
    for _ in range(2):
        built.ok("docker-stop")
        assert built.containers() == []
    assert built.images()


def test_clean_twice_is_harmless(built: Alone) -> None:
    built.ok("docker-start")
    for _ in range(2):
        built.ok("docker-clean")
        assert built.containers() == []
        assert built.images() == []


def test_all_builds_and_starts(alone: Alone) -> None:
    assert f"http://localhost:{alone.port}/" in alone.ok("docker-all")
    assert alone.answer() == "5"


def test_a_busy_port_leaves_no_container(built: Alone, busy: int) -> None:
    assert sentence(built.make("docker-start", port=busy)).startswith(f"Port {busy} is busy: ")
    assert built.containers() == []


def test_a_process_on_the_port_does_not_end_what_runs(built: Alone, busy: int) -> None:
    built.ok("docker-start")
    before = built.containers()
    assert sentence(built.make("docker-start", port=busy)).startswith(f"Port {busy} is busy: ")
    assert built.containers() == before
    assert built.answer() == "5"


def test_a_container_on_the_port_does_not_end_what_runs(built: Alone) -> None:
    built.ok("docker-start")
    port = free_port()
    words = ("--detach", "--name", f"{built.name}-other", "--publish", f"{port}:{port}")
    docker("run", *words, built.name, "sleep", "600")
    before = built.containers()
    assert sentence(built.make("docker-start", port=port)).startswith(f"Port {port} is busy: ")
    assert built.containers() == before
    assert built.answer() == "5"


@pytest.mark.parametrize(
    "target", ["docker-build", "docker-start", "docker-stop", "docker-clean", "docker-all"]
)
def test_a_missing_engine_is_one_sentence(alone: Alone, target: str) -> None:
    failed = alone.make(target, "DOCKER_HOST=unix:///nonexistent")
    assert sentence(failed).startswith("No Docker engine answers: ")


# A Dockerfile that keeps the build's secrets in the image, which the real one does not.
SHOW = """ARG BASE_IMAGE
FROM ${BASE_IMAGE}
RUN --mount=type=secret,id=pip.conf --mount=type=secret,id=ca.pem \\
    : NAME; cp -rL /run/secrets /shown
CMD ["sh", "-c", "grep '' /shown/*"]
"""
CONF = """[global]
index_url = https://conf.example/simple
extra-index-url =
    https://one.example/simple
    # not this one
    https://two.example/simple
trusted-host=one.example
cert = {cert}
[list]
format = columns
"""


@pytest.fixture
def shown(alone: Alone) -> Alone:
    """Return the copy with that Dockerfile."""
    # A command of its own, because the build cache does not tell secrets apart.
    (alone.folder / "Dockerfile").write_text(SHOW.replace("NAME", alone.name))
    return alone


def secrets(shown: Alone, *env: str) -> list[str]:
    """Return the lines of a build's secrets, each as SECRET:LINE."""
    # Without this machine's own settings.
    names = ("CERT", "FIND_LINKS", "INDEX_URL", "EXTRA_INDEX_URL", "PROXY", "TRUSTED_HOST")
    unset = [f"--unset=PIP_{name}" for name in names]
    unset += ["--unset=REQUESTS_CA_BUNDLE", "--unset=CURL_CA_BUNDLE"]
    made = shown.make("docker-build", *unset, *env)
    assert made.code == 0, made.text
    printed = docker("run", "--rm", "--network", "none", "--name", shown.name, shown.name)
    return printed.replace("/shown/", "").splitlines()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home folder with a pip.conf that names a certificate file."""
    folder = tmp_path / "home"
    conf = folder / ".config/pip/pip.conf"
    conf.parent.mkdir(parents=True)
    (folder / "own.pem").write_text("own certificate\n")
    conf.write_text(CONF.format(cert=folder / "own.pem"))
    return folder


def test_the_build_gets_the_settings_of_pip(shown: Alone, home: Path) -> None:
    got = secrets(shown, f"HOME={home}")
    assert "pip.conf:index-url = https://conf.example/simple" in got
    extra = next(line for line in got if line.startswith("pip.conf:extra-index-url"))
    assert extra.split()[2:] == ["https://one.example/simple", "https://two.example/simple"]
    assert "pip.conf:trusted-host = one.example" in got
    assert "ca.pem:own certificate" in got
    assert not any(re.search("cert =|format", line) for line in got)


def test_variables_come_before_files(shown: Alone, home: Path, tmp_path: Path) -> None:
    cert = tmp_path / "other.pem"
    cert.write_text("other certificate\n")
    index, extra = "https://user:word@env.example/simple", "https://extra.example/simple"
    env = (f"PIP_CERT={cert}", f"PIP_INDEX_URL={index}", f"PIP_EXTRA_INDEX_URL={extra}")
    got = secrets(shown, f"HOME={home}", *env)
    assert f"pip.conf:index-url = {index}" in got
    assert f"pip.conf:extra-index-url = {extra}" in got
    assert "ca.pem:other certificate" in got
    assert "env.example" not in docker("history", "--no-trunc", shown.name)
    assert "env.example" not in docker("image", "inspect", shown.name)
