"""The Docker client, with a program in place of docker that plays back what Docker prints."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from classvm.base import account, docker
from classvm.base.command import CommandError
from classvm.base.docker import (
    CONTAINERD_ROOT,
    Container,
    Docker,
    Image,
    buildkit_client,
    ignored_settings,
)
from classvm.base.errors import ClassvmError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONTAINER = {
    "Id": "c1",
    "Name": "/classvm-lab",
    "Image": "sha256:1",
    "HostConfig": {"Memory": 1},
    "State": {
        "Running": True,
        "ExitCode": 0,
        "Health": {"Status": "healthy"},
        "StartedAt": "2026-01-01T10:00:00.5Z",
    },
    "Config": {"Labels": {"classvm.release": "r1"}, "Healthcheck": {"Test": ["CMD", "true"]}},
    "NetworkSettings": {
        "Networks": {"bridge": {}},
        "Ports": {
            "8080/tcp": [
                {"HostIp": "0.0.0.0", "HostPort": "11000"},
                {"HostIp": "::", "HostPort": "11000"},
            ],
            "9090/tcp": None,
        },
    },
}


def prints(answer: object) -> str:
    return f"cat <<'END'\n{json.dumps([answer])}\nEND"


def test_a_container_is_read(program: Callable[..., Path]) -> None:
    calls = program("docker", prints(CONTAINER))
    assert Docker().container("classvm-lab") == Container(
        id="c1",
        name="classvm-lab",
        image="sha256:1",
        running=True,
        exit_code=0,
        labels={"classvm.release": "r1"},
        healthcheck=["CMD", "true"],
        ports={"8080/tcp": [("0.0.0.0", 11000), ("::", 11000)]},
        health="healthy",
        started="2026-01-01T10:00:00.5Z",
        networks=("bridge",),
        host_config={"Memory": 1},
    )
    assert calls.read_text() == "container inspect classvm-lab\n"


def test_a_stopped_container_without_labels_is_read(program: Callable[..., Path]) -> None:
    bare = {
        **CONTAINER,
        "State": {"Running": False, "ExitCode": 137},
        "Config": {"Labels": None},
        "NetworkSettings": {"Ports": None},
    }
    program("docker", prints(bare))
    container = Docker().container("classvm-lab")
    assert container is not None
    assert (container.running, container.exit_code) == (False, 137)
    assert (container.labels, container.ports) == ({}, {})


def test_of_several_containers_those_are_read_that_are_there(
    program: Callable[..., Path],
) -> None:
    calls = program("docker", f"{prints(CONTAINER)}\necho 'No such container: x' >&2; exit 1")
    assert list(Docker().containers("classvm-lab", "x")) == ["classvm-lab"]
    assert calls.read_text() == "container inspect classvm-lab x\n"


def test_a_name_that_nobody_bears_hides_no_other_trouble(program: Callable[..., Path]) -> None:
    said = "echo 'No such container: x' >&2; echo 'permission denied' >&2"
    program("docker", f"echo '[]'; {said}; exit 1")
    with pytest.raises(CommandError, match="permission denied"):
        Docker().containers("x", "y")


def test_an_image_is_read(program: Callable[..., Path]) -> None:
    config = {"Labels": {"a": "b"}}
    calls = program("docker", prints({"Id": "sha256:1", "Size": 7, "Config": config}))
    assert Docker().image("lab:r1") == Image("sha256:1", {"a": "b"}, 7)
    assert calls.read_text() == "image inspect lab:r1\n"


@pytest.mark.parametrize("config", [None, {}, {"Labels": None}], ids=str)
def test_a_bare_image_is_read(config: object, program: Callable[..., Path]) -> None:
    program("docker", prints({"Id": "sha256:1", "Size": 7, "Config": config}))
    assert Docker().image("lab:r1") == Image("sha256:1", {}, 7)


@pytest.mark.parametrize(
    "said", ["Error: No such image: x", "Error response from daemon: No such container: x"]
)
def test_what_is_not_there_is_none(said: str, program: Callable[..., Path]) -> None:
    program("docker", f"echo '{said}' >&2; exit 1")
    assert Docker().image("x") is None
    assert Docker().container("x") is None


def test_an_engine_that_does_not_answer_is_not_the_same_as_nothing_there(
    program: Callable[..., Path],
) -> None:
    program("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    with pytest.raises(CommandError, match="Cannot connect"):
        Docker().container("x")


def test_the_engine_version(program: Callable[..., Path]) -> None:
    calls = program("docker", "echo 20.10.24+dfsg1")
    assert Docker().engine_version() == "20.10.24+dfsg1"
    assert Docker().require_engine() == "20.10.24+dfsg1"
    assert calls.read_text().splitlines()[0] == "version --format {{.Server.Version}}"


def test_no_engine(program: Callable[..., Path]) -> None:
    program("docker", "exit 1")
    assert Docker().engine_version() is None
    with pytest.raises(ClassvmError, match=r"No Docker engine answers .*`make provision`"):
        Docker().require_engine()


def test_an_account_that_may_not_ask_is_named_with_the_command(
    program: Callable[..., Path],
) -> None:
    program("docker", "echo permission denied >&2; exit 1")
    with pytest.raises(ClassvmError, match=rf"`sudo usermod -aG docker {account.name()}`"):
        Docker().require_engine()


@pytest.mark.usefixtures("program")
def test_no_client() -> None:
    assert Docker().engine_version() is None
    # Nobody is told to join a group that the engine would bring.
    with pytest.raises(ClassvmError, match=r"Docker is not installed .*`make provision`\.$"):
        Docker().require_engine()


def test_publishers(program: Callable[..., Path]) -> None:
    calls = program("docker", "printf 'a\\nb\\n'")
    assert Docker().publishers(11000) == ["a", "b"]
    assert calls.read_text() == "ps --filter publish=11000/tcp --format {{.Names}}\n"


def test_data_root(program: Callable[..., Path]) -> None:
    program("docker", """echo '{"DockerRootDir": "/var/lib/docker", "DriverStatus": null}'""")
    assert Docker().data_root() == "/var/lib/docker"


def test_the_images_may_be_in_the_folder_of_containerd(program: Callable[..., Path]) -> None:
    status = '[["driver-type", "io.containerd.snapshotter.v1"]]'
    program(
        "docker", f"""echo '{{"DockerRootDir": "/var/lib/docker", "DriverStatus": {status}}}'"""
    )
    assert Docker().data_root() == CONTAINERD_ROOT


def test_standard_input_reaches_the_client(program: Callable[..., Path]) -> None:
    program("docker", "cat")
    assert Docker().check("load", stdin=b"bytes") == "bytes"


def test_the_client_that_can_pass_secrets_is_found(
    program: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("docker", "echo 'Usage: docker build'")
    first = tmp_path / "first"
    shutil.copytree(tmp_path / "bin", first, symlinks=True)
    monkeypatch.setenv("PATH", f"{tmp_path / 'absent'}:{first}:{tmp_path / 'bin'}")
    with pytest.raises(ClassvmError, match="apt-get install docker-buildx"):
        buildkit_client()
    program("docker", 'test "$DOCKER_BUILDKIT" = 1 && echo "  --secret stringArray"')
    assert buildkit_client() == str(tmp_path / "bin" / "docker")


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo 29.1.3", ""),
        ("echo permission denied >&2; exit 1", "this account is not in the docker group"),
        ("echo cannot connect >&2; exit 1", "no Docker engine answers"),
    ],
)
def test_why_no_engine_answers(
    script: str,
    problem: str,
    program: Callable[..., Path],
) -> None:
    program("docker", script)
    assert Docker().engine_problem() == problem


@pytest.mark.usefixtures("program")
def test_without_a_client_docker_is_not_installed() -> None:
    assert Docker().engine_problem() == "Docker is not installed"


def test_the_content_of_an_image_is_that_of_its_layers() -> None:
    one = Image("sha256:1", {}, 1, ["sha256:a", "sha256:b"])
    stored_otherwise = Image("sha256:2", {}, 1, ["sha256:a", "sha256:b"])
    assert one.content == stored_otherwise.content
    assert one.content != Image("sha256:1", {}, 1, ["sha256:b", "sha256:a"]).content


def test_a_program_that_hangs_is_ended(program: Callable[..., Path]) -> None:
    calls = program("docker", "exec sleep 5")
    with pytest.raises(ClassvmError, match="did not end within 0 s"):
        Docker().run_within(0.1, "exec", "c1", "true")
    assert calls.read_text() == "exec c1 true\n"


def test_a_program_that_ends_in_time_is_heard(program: Callable[..., Path]) -> None:
    program("docker", "cat; exit 3")
    finished = Docker().run_within(5, "run", stdin=b"hello")
    assert (finished.code, finished.out) == (3, "hello")


def test_what_a_program_in_a_container_prints_is_not_kept_without_end(
    program: Callable[..., Path],
) -> None:
    """The command of a health check is its image's."""
    program("docker", f"/usr/bin/head -c {docker.EXEC_BYTES + 5} /dev/zero")
    assert len(Docker().run_within(60, "exec", "c1", "true").out) == docker.EXEC_BYTES
    assert len(Docker().run_within(60, "logs", "c1").out) == docker.EXEC_BYTES + 5


# --- One engine -----------------------------------------------------------------------------------

SHOW = 'env | grep "^DOCKER_" | sort'


def test_a_user_s_choice_of_another_engine_does_not_count(
    program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    monkeypatch.setenv("DOCKER_CONTEXT", "desktop-linux")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CONFIG", "/a/student/s/.docker")
    shutil_programs(program)
    program("docker", SHOW)
    seen = dict(line.split("=", 1) for line in Docker().check("info").splitlines())
    assert seen["DOCKER_HOST"] == f"unix://{docker.SOCKET}"
    assert seen["DOCKER_CONFIG"].endswith("/.cache/classvm/docker")
    assert (seen["DOCKER_CONTEXT"], seen["DOCKER_TLS_VERIFY"]) == ("", "")


def shutil_programs(program: Callable[..., Path]) -> None:
    """Let the fake client call what it shows its environment with."""
    for name in ("env", "grep", "sort"):
        program(name, f'exec {shutil.which(name, path="/usr/bin:/bin")} "$@"')


def test_root_s_client_speaks_to_the_same_engine(program: Callable[..., Path]) -> None:
    calls = program("sudo")
    Docker(as_root=("sudo", "--non-interactive")).run("info")
    words = calls.read_text().split()
    assert words[:2] == ["--non-interactive", "env"]
    assert f"DOCKER_HOST=unix://{docker.SOCKET}" in words
    assert words[-2:] == ["docker", "info"]


def test_the_ignored_settings_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert ignored_settings() == []
    config = tmp_path / "config.json"
    config.write_text('{"auths": {}, "currentContext": "desktop-linux", "credsStore": "desktop"}')
    assert ignored_settings() == [f"currentContext in {config}", f"credsStore in {config}"]
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    for text in ("{", "[]"):
        config.write_text(text)
        assert ignored_settings() == ["DOCKER_HOST"]
