"""Whether the port for which a host is to be provisioned can be had, before anything is changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import tree
from classvm.base import edge, host
from classvm.base.docker import NO_ANSWER, NOT_IN_GROUP, NOT_INSTALLED, Container, Docker
from classvm.base.edge import BLUE_GREEN, RECREATE
from classvm.base.errors import ClassvmError
from classvm.image.image_labels import LABEL_SERVICE
from classvm.provision import haproxy, port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIVE, OTHER = 11000, 8080
CONFIG = tree.ROOT / "roles/edge/templates/etc/classvm/edge.cfg.j2"
LISTENS = """echo 'LISTEN 0 5 *:1 *:* users:(("python3",pid=4711,fd=3))'"""
A_PROCESS = rf"^Port {OTHER} is busy: python3 \(process 4711\) listens on it"


class Host(Docker):
    """A host with or without an engine; a container of some service may publish the port."""

    def __init__(self, problem: str = "", publisher: str = "", service: str = "") -> None:
        super().__init__()
        self.problem = problem
        self.publisher = publisher
        self.labels = {LABEL_SERVICE: service} if service else {}

    def engine_problem(self) -> str:
        return self.problem

    def publishers(self, port: int) -> list[str]:
        assert not self.problem, f"nobody answers who publishes {port}"
        return [self.publisher] if self.publisher else []

    def containers(self, *names: str) -> dict[str, Container]:
        assert names, "the client refuses to inspect nothing"
        return {
            name: Container("id", name, "i", running=True, exit_code=0, labels=self.labels)
            for name in names
        }


def require(engine: Docker, folder: Path, wanted: int = OTHER) -> None:
    files = haproxy.Files(config=folder / "edge.cfg")
    port.require_port(engine, str(folder), "lab", wanted, files)


@pytest.fixture
def listeners(program: Callable[..., Path]) -> Path:
    """Let a program listen on each port; return the file that notes who asked."""
    return program("ss", LISTENS)


@pytest.mark.parametrize("problem", ["", NOT_INSTALLED, NO_ANSWER])
def test_a_free_port(problem: str, program: Callable[..., Path], tmp_path: Path) -> None:
    asked = program("ss")
    require(Host(problem), tmp_path)
    assert asked.read_text() == f"-Hltn sport = :{OTHER}\n"


@pytest.mark.usefixtures("listeners")
@pytest.mark.parametrize("problem", ["", NOT_INSTALLED, NO_ANSWER])
def test_a_program_has_the_port(problem: str, tmp_path: Path) -> None:
    with pytest.raises(ClassvmError, match=A_PROCESS):
        require(Host(problem), tmp_path)


@pytest.mark.usefixtures("listeners")
@pytest.mark.parametrize("service", ["", "svc2"])
def test_a_container_has_the_port(service: str, tmp_path: Path) -> None:
    busy = f"^Port {OTHER} is busy: the container somebody publishes it"
    with pytest.raises(ClassvmError, match=busy):
        require(Host(publisher="somebody", service=service), tmp_path)


@pytest.mark.usefixtures("listeners")
def test_the_service_itself_has_the_port_on_a_host_that_lost_its_records(tmp_path: Path) -> None:
    require(Host(publisher="classvm-lab", service="lab"), tmp_path)


def test_the_port_of_the_last_provision_is_not_looked_at(listeners: Path, tmp_path: Path) -> None:
    """Nothing of it changes, so a guard that is missing is repaired whoever has the port."""
    (tmp_path / host.CHOICES).write_text(json.dumps({"guarded": True, "open_tcp": [LIVE]}))
    require(Host(), tmp_path, LIVE)
    assert not listeners.exists()
    with pytest.raises(ClassvmError, match=A_PROCESS):
        require(Host(), tmp_path, OTHER)


@pytest.mark.usefixtures("listeners")
@pytest.mark.parametrize(("strategy", "refused"), [(BLUE_GREEN, True), (RECREATE, False)])
def test_an_open_port_is_not_the_one_that_haproxy_has(
    strategy: str, refused: bool, tmp_path: Path
) -> None:
    """The guard may open further ports; HAProxy would leave its own for one of them."""
    (tmp_path / host.CHOICES).write_text(json.dumps({"guarded": True, "open_tcp": [LIVE, OTHER]}))
    (tmp_path / edge.RECORD).write_text(json.dumps({"strategy": strategy, "port": LIVE}))
    require(Host(), tmp_path, LIVE)
    if refused:
        with pytest.raises(ClassvmError, match=A_PROCESS):
            require(Host(), tmp_path, OTHER)
    else:
        require(Host(), tmp_path, OTHER)


@pytest.mark.usefixtures("listeners")
@pytest.mark.parametrize("record", [None, "{"], ids=["lost", "torn"])
def test_haproxy_has_the_port_on_a_host_whose_record_is_gone(
    record: str | None, tmp_path: Path
) -> None:
    if record is not None:
        (tmp_path / edge.RECORD).write_text(record)
    template = CONFIG.read_text()
    assert "{{ edge_port }}" in template
    (tmp_path / "edge.cfg").write_text(template.replace("{{ edge_port }}", str(LIVE)))
    require(Host(), tmp_path, LIVE)
    with pytest.raises(ClassvmError, match=A_PROCESS):
        require(Host(), tmp_path, OTHER)


@pytest.mark.usefixtures("listeners")
@pytest.mark.parametrize("name", [host.CHOICES, edge.RECORD, "edge.cfg"])
def test_what_cannot_be_read_says_nothing(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(ClassvmError, match=A_PROCESS):
        require(Host(), tmp_path)


def test_an_account_that_the_engine_refuses_leaves_it_to_root(
    listeners: Path, tmp_path: Path
) -> None:
    """What listens may be the service itself, for which only the engine can tell."""
    require(Host(NOT_IN_GROUP), tmp_path)
    assert not listeners.exists()
