"""Checks of what runs on a machine, without touching what runs on this one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from classvm.base import docker, host
from classvm.base.edge import Edge
from classvm.base.errors import ClassvmError
from classvm.doctor import finding, reading, running
from classvm.provision import engine_hosts, guard
from fake_machine import user

PORT = 4321


CAPABLE = "/usr/bin/docker"


def engine(problem: str = "") -> reading.Engine:
    """Return an engine that answers, or does not for some reason."""

    class Fake(reading.Engine):
        def engine_problem(self) -> str:
            return problem

        def engine_version(self) -> str | None:
            return None if problem else "20.10.24"

    return Fake()


def no_client() -> str:
    raise ClassvmError("No Docker client here can pass secrets to a build. Install it.")


def test_an_engine_with_a_capable_client_is_ok() -> None:
    found = running.check_engine(user(), engine(), lambda: CAPABLE)
    assert (found.level, found.text) == ("ok", "version 20.10.24 answers, BuildKit is there")


def test_an_engine_without_a_capable_client_fails() -> None:
    found = running.check_engine(user(privilege="root"), engine(), no_client)
    assert found.level == finding.FAIL
    assert "docker-buildx" in found.fix


def test_the_engine_of_a_snap_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_hosts, "SNAP", tmp_path)
    found = running.check_engine(user(privilege="root"), engine(), lambda: CAPABLE)
    assert (found.level, found.fix) == (finding.FAIL, "sudo snap remove docker")
    assert "as a snap" in found.text


@pytest.mark.parametrize("problem", ["no Docker engine answers", "Docker is not installed"])
@pytest.mark.parametrize(("privilege", "level"), [("sudo", "warn"), ("none", "FAIL")])
def test_a_stopped_engine_fails_only_where_a_deploy_cannot_start_it(
    problem: str, privilege: str, level: str
) -> None:
    found = running.check_engine(user(privilege=privilege), engine(problem), no_client)
    assert (found.level, found.fix) == (level, "make provision")
    assert problem in found.text


@pytest.mark.parametrize(("privilege", "level"), [("password", "warn"), ("none", "FAIL")])
def test_an_account_that_may_not_ask_the_engine_is_told_the_group(
    privilege: str, level: str
) -> None:
    found = running.check_engine(user(privilege=privilege), engine(docker.NOT_IN_GROUP), no_client)
    assert found.level == level
    assert ("usermod -aG docker" if privilege == "password" else "`students`") in found.fix


def test_an_account_of_students_reaches_the_engine_through_the_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    found = running.check_engine(user("classvm"), engine(docker.NOT_IN_GROUP), no_client)
    assert (found.level, found.fix) == (finding.OK, "")
    assert "`classvm` asks it" in found.text


def test_the_engine_tells_where_it_keeps_images(program: Callable[..., Path]) -> None:
    program("docker", """echo '{"DockerRootDir": "/data"}'""")
    assert running.image_folder(reading.Engine()) == "/data"
    program("docker", "exit 1")
    assert running.image_folder(reading.Engine()) == docker.DATA_ROOT


def test_an_engine_that_hangs_is_not_waited_for(
    program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    program("docker", "exec sleep 5")
    monkeypatch.setattr(reading, "PATIENCE", 0.05)
    found = finding.look("engine", lambda: running.check_service(reading.Engine()))
    assert found.text == "no container of a service runs here"
    found = finding.look("x", lambda: finding.Finding("ok", "x", reading.Engine().check("ps")))
    assert (found.level, "did not end within" in found.text) == ("warn", True)


LOADED = "table inet classvm {}"


@pytest.fixture
def files(tmp_path: Path) -> guard.Files:
    """Return where a guard is installed."""
    files = guard.Files(rules=tmp_path / "guard.nft", listing=tmp_path / "guard.listing")
    files.rules.touch()
    files.listing.write_text(LOADED)
    return files


def test_a_guard_that_is_loaded_as_installed_is_ok(files: guard.Files) -> None:
    assert running.check_guard(files, lambda: LOADED, is_root=True).level == finding.OK


def test_a_machine_without_a_guard_is_ok(tmp_path: Path) -> None:
    files = guard.Files(rules=tmp_path / "none")
    assert running.check_guard(files, lambda: "", is_root=True).level == finding.OK


@pytest.mark.parametrize(
    ("present", "cause"), [("", "every port is open"), ("table inet classvm { x }", "differ")]
)
def test_a_guard_that_is_gone_or_changed_is_found(
    files: guard.Files, present: str, cause: str
) -> None:
    found = running.check_guard(files, lambda: present, is_root=True)
    assert (found.level, found.fix) == (finding.FAIL, "make provision")
    assert cause in found.text


def test_a_class_vm_without_a_guard_is_found(tmp_path: Path) -> None:
    files = guard.Files(rules=tmp_path / "none")
    found = running.check_guard(files, lambda: "", is_root=False, expected=True)
    assert (found.level, found.fix) == (finding.FAIL, "make provision")


def test_only_root_can_see_the_guard(files: guard.Files) -> None:
    assert running.check_guard(files, lambda: "", is_root=False).level == finding.WARN


class Containers(reading.Engine):
    """An engine with one running container, or none."""

    def __init__(self, name: str = "", label: str = "", *, published: bool = True) -> None:
        super().__init__()
        self.name, self.label, self.published = name, label, published

    def publishers(self, port: int) -> list[str]:
        assert port == PORT
        return [self.name] if self.name and self.published else []

    def check(self, *words: str, stdin: bytes | None = None) -> str:
        del stdin
        assert "label=classvm.service" in words
        return f"{self.name}\n"

    def containers(self, *names: str) -> dict[str, docker.Container]:
        labels = {self.label: "x"} if self.label else {}
        ports = {"1/tcp": [("0.0.0.0", PORT)]} if self.published else {}
        made = docker.Container("1", self.name, "i", True, 0, labels, ports=ports)  # noqa: FBT003 - as `docker inspect` orders it
        return dict.fromkeys(names, made)


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Offer ``listener(owner)``: somebody holds the port, or "" for nobody."""

    def hold(owner: str) -> None:
        monkeypatch.setattr(host, "is_listened_to", lambda _: bool(owner))
        monkeypatch.setattr(host, "port_owner", lambda _: owner)

    return hold


@pytest.mark.parametrize(
    ("engine", "owner", "level", "word"),
    [
        (Containers(), "", "ok", "free"),
        (Containers("lab", "classvm.service"), "docker-proxy (process 1)", "ok", "our own"),
        (Containers("wiki"), "docker-proxy (process 1)", "FAIL", "wiki"),
        (Containers(), "nginx (process 42)", "FAIL", "nginx (process 42)"),
        (Containers(), "a process of another user", "warn", "cannot see"),
    ],
)
def test_the_holder_of_the_port_is_named(
    engine: reading.Engine, owner: str, level: str, word: str, listener: Callable[[str], None]
) -> None:
    listener(owner)
    found = running.check_port(PORT, engine, Edge())
    assert found.level == level
    assert word in found.text


@pytest.mark.parametrize(("port", "level"), [(PORT, "ok"), (PORT + 1, "FAIL")])
def test_our_own_haproxy_may_hold_the_port(
    port: int, level: str, listener: Callable[[str], None]
) -> None:
    listener("haproxy (process 42)")
    edge = Edge(port=port, slots={"blue": 1})
    assert running.check_port(PORT, Containers(), edge).level == level


def test_a_port_that_is_not_a_number_fails() -> None:
    assert running.check_port(None, Containers(), Edge()).level == finding.FAIL


def test_a_container_without_its_network_is_found() -> None:
    good, detached = (Containers("lab", "classvm.service", published=p) for p in (True, False))
    assert running.check_service(good).level == finding.OK
    assert running.check_service(Containers()).level == finding.OK
    found = running.check_service(detached)
    assert (found.level, found.fix) == (finding.WARN, "make deploy")
    assert "its network is detached" in found.text
