from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from classvm.base import host
from classvm.base.docker import Docker
from classvm.base.errors import ClassvmError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HUGE = 1 << 40


def test_there_is_room(tmp_path: Path) -> None:
    host.require_space(str(tmp_path), 0)


@pytest.mark.parametrize("folder", ["", "to/be/made"])
def test_a_full_disk_is_told_with_its_numbers(folder: str, tmp_path: Path) -> None:
    there = f"Disk full: {tmp_path} has [0-9]+ MB free, {HUGE} MB are needed"
    with pytest.raises(ClassvmError, match=there):
        host.require_space(str(tmp_path / folder), HUGE)


class State:
    """A file system as statvfs(3) describes it: 4 MB free and so many inodes."""

    f_bavail = 1024
    f_frsize = 4096

    def __init__(self, files: int, free: int) -> None:
        self.f_files = files
        self.f_favail = free


@pytest.mark.parametrize(("files", "free"), [(0, 0), (9, 1)], ids=["btrfs counts none", "some"])
def test_inodes_suffice(files: int, free: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.statvfs", lambda _: State(files, free))
    host.require_space("/", 4)


def test_no_free_inodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.statvfs", lambda _: State(9, 0))
    with pytest.raises(ClassvmError, match="no free inodes"):
        host.require_space("/", 4)


def test_one_megabyte_too_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.statvfs", lambda _: State(9, 9))
    with pytest.raises(ClassvmError, match="has 4 MB free, 5 MB are needed"):
        host.require_space("/", 5)


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_free_port(program: Callable[..., Path], busy_port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    program("docker")
    program("ss")
    assert free != busy_port
    host.require_free_port(Docker(), free)


def test_a_port_of_a_process(program: Callable[..., Path], busy_port: int) -> None:
    program("docker")
    calls = program("ss", """echo 'LISTEN 0 5 *:1 *:* users:(("python3",pid=4711,fd=3))'""")
    owner = rf"Port {busy_port} is busy: python3 \(process 4711\) listens on it"
    with pytest.raises(ClassvmError, match=owner):
        host.require_free_port(Docker(), busy_port)
    asked = f"sport = :{busy_port}\n"
    assert calls.read_text() == f"-Hltn {asked}-Hltnp {asked}"


def test_a_port_of_another_user(program: Callable[..., Path], busy_port: int) -> None:
    program("docker")
    program("ss", "echo 'LISTEN 0 5 *:1 *:*'")
    with pytest.raises(ClassvmError, match=f"another user .`sudo ss -ltnp 'sport = :{busy_port}'`"):
        host.require_free_port(Docker(), busy_port)


def test_a_port_of_a_container(program: Callable[..., Path], busy_port: int) -> None:
    program("docker", "echo somebody")
    busy = f"Port {busy_port} is busy: the container somebody publishes it"
    with pytest.raises(ClassvmError, match=busy):
        host.require_free_port(Docker(), busy_port)


def test_a_port_that_the_guard_opens(tmp_path: Path) -> None:
    (tmp_path / host.CHOICES).write_text('{"guarded": true, "open_tcp": [11000, 12000]}')
    host.require_open_port(str(tmp_path), 12000)


def test_a_port_that_the_guard_keeps_closed_is_refused(tmp_path: Path) -> None:
    (tmp_path / host.CHOICES).write_text('{"guarded": true, "open_tcp": [11000]}')
    with pytest.raises(
        ClassvmError, match=r"^Port 12345 is closed: this host's guard opens 11000.*PORT=12345"
    ):
        host.require_open_port(str(tmp_path), 12345)


@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", "3", "{}", '{"guarded": false, "open_tcp": [11000]}']
)
def test_without_a_guard_every_port_is_open(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / host.CHOICES).write_text(text)
    host.require_open_port(str(tmp_path), 12345)


SERVICE_LABEL = "classvm.service"


@pytest.fixture
def guarded(tmp_path: Path) -> str:
    """Return the state folder of a host with a guard."""
    (tmp_path / host.CHOICES).write_text('{"guarded": true, "open_tcp": [11000]}')
    return str(tmp_path)


@pytest.mark.parametrize("listed", ["", "lab", "lab\nlab"])
def test_the_only_service_is_accepted(
    listed: str, guarded: str, program: Callable[..., Path]
) -> None:
    program("docker", f"printf '{listed}\n'")
    host.require_only_service(Docker(), guarded, "lab", SERVICE_LABEL)


def test_a_second_service_is_refused_beside_a_guard(
    guarded: str, program: Callable[..., Path]
) -> None:
    calls = program("docker", "printf 'lab\nsvc2\n'")
    with pytest.raises(
        ClassvmError, match=r"^This class VM has the service lab already.*make reset"
    ):
        host.require_only_service(Docker(), guarded, "svc2", SERVICE_LABEL)
    assert calls.read_text().startswith("ps --all --filter label=classvm.service --format")


def test_without_a_guard_a_second_service_closes_nothing(
    tmp_path: Path, program: Callable[..., Path]
) -> None:
    calls = program("docker", "printf 'lab\n'")
    host.require_only_service(Docker(), str(tmp_path), "svc2", SERVICE_LABEL)
    assert not calls.exists()
