"""HAProxy on the host: what is installed, what systemd is told, and what is taken away."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tree
from classvm.base import host
from classvm.base.command import CommandError
from classvm.base.docker import Container, Docker
from classvm.base.edge import BLUE_GREEN, LABEL_SLOT, NEW_MAP, RECREATE, Edge
from classvm.base.errors import ClassvmError
from classvm.provision import haproxy
from classvm.provision.haproxy import Desired, Files
from fake_engine import PORT, SLOTS

DROP_IN = (
    tree.ROOT / "roles/edge/templates/etc/systemd/system/haproxy.service.d/classvm-edge.conf.j2"
)
Program = Callable[..., Path]


@pytest.fixture
def desired(tmp_path: Path) -> Desired:
    state = tmp_path / "state"
    state.mkdir()
    edge = Edge(BLUE_GREEN, PORT, SLOTS, "/absent.sock", str(state))
    files = Files(tmp_path / "etc/edge.cfg", tmp_path / "systemd/haproxy.conf")
    return Desired(edge, "frontend service\n", "[Service]\n", files)


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Offer ``says(digest)``: HAProxy runs with that configuration, or as a function tells."""

    def install(digest: str | Callable[[], str]) -> None:
        told = digest if callable(digest) else lambda: digest
        monkeypatch.setattr(haproxy, "running", lambda _: told())

    install("")
    return install


@pytest.fixture
def systemd(program: Program) -> Callable[..., Path]:
    """Offer ``systemd(active, enabled)``: what systemctl shows; it returns its calls."""
    program("haproxy")

    def install(active: str = "active", enabled: str = "enabled") -> Path:
        shown = f"ActiveState={active}\\nUnitFileState={enabled}"
        return program("systemctl", f"case $1 in show) echo '{shown}' | cat ;; esac")

    install()
    return install


def verbs(calls: Path) -> list[str]:
    """Return what systemctl was told to change."""
    lines = calls.read_text().splitlines() if calls.exists() else []
    return [line for line in lines if not line.startswith("show")]


def test_a_new_host_lacks_everything(
    desired: Desired, systemd: Callable[..., Path], says: Callable[..., None]
) -> None:
    systemd("inactive", "disabled")
    says("")
    assert haproxy.missing(desired) == [*desired.contents, desired.edge.map, "restart"]


def test_what_is_put_is_there(
    desired: Desired, systemd: Callable[..., Path], says: Callable[..., None]
) -> None:
    calls = systemd("active", "enabled")
    says(lambda: desired.digest if "restart" in calls.read_text() else "")
    haproxy.install(desired)
    assert verbs(calls) == [
        "daemon-reload",
        "enable --quiet haproxy.service",
        "restart --no-block haproxy.service",
    ]
    assert haproxy.missing(desired) == []
    assert Edge.load(desired.edge.state_dir) == desired.edge
    assert desired.edge.read() == NEW_MAP
    assert Path(desired.files.config).read_text().startswith("frontend service\n")
    assert not list(Path(desired.files.config).parent.glob("*.check"))


def test_another_configuration_is_a_reload(
    desired: Desired, systemd: Callable[..., Path], says: Callable[..., None]
) -> None:
    calls = systemd()
    says(desired.digest)
    haproxy.install(desired)
    calls.unlink()
    other = Desired(desired.edge, "frontend other\n", desired.unit, desired.files)
    assert haproxy.missing(other) == [str(desired.files.config), "reload"]
    says(lambda: other.digest if verbs(calls) else desired.digest)
    haproxy.install(other)
    assert verbs(calls) == ["enable --quiet haproxy.service", "reload --no-block haproxy.service"]


def test_a_run_that_was_cut_off_before_systemd_read_the_drop_in_is_made_up_for(
    desired: Desired, systemd: Callable[..., Path], says: Callable[..., None]
) -> None:
    calls = systemd()
    for path, text in desired.contents.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)
    says(lambda: desired.digest if "restart" in "".join(verbs(calls)) else "")
    haproxy.install(desired)
    assert verbs(calls)[0] == "daemon-reload"


def test_a_reload_that_was_cut_off_is_made_up_for(
    desired: Desired, systemd: Callable[..., Path], says: Callable[..., None]
) -> None:
    systemd()
    says(desired.digest)
    haproxy.install(desired)
    says("older")
    assert haproxy.missing(desired) == ["reload"]


@pytest.mark.parametrize(
    ("shown", "verb"),
    [
        (("active", "enabled"), "restart"),  # with the distribution's configuration
        (("active", "disabled"), "restart"),
        (("failed", "enabled"), "restart"),
        (("inactive", "enabled"), "restart"),
        (("", ""), "restart"),
        (("activating", "enabled"), ""),  # it waits for its port
    ],
)
def test_what_systemd_has_to_do(
    desired: Desired,
    systemd: Callable[..., Path],
    says: Callable[..., None],
    shown: tuple[str, str],
    verb: str,
) -> None:
    systemd(*shown)
    says("")
    desired.files.unit.parent.mkdir()
    desired.files.unit.write_text(desired.unit)
    assert haproxy.next_verb(desired) == verb


def test_a_configuration_that_haproxy_refuses_changes_nothing(
    desired: Desired, systemd: Callable[..., Path], program: Program
) -> None:
    calls = systemd()
    program("haproxy", "echo unknown keyword >&2; exit 1")
    with pytest.raises(CommandError, match="unknown keyword"):
        haproxy.install(desired)
    assert verbs(calls) == []
    assert not desired.files.config.exists()


def test_haproxy_that_does_not_start_is_told(
    desired: Desired,
    systemd: Callable[..., Path],
    program: Program,
    says: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    systemd("failed", "enabled")
    says("")
    program("journalctl", "echo cannot bind socket")
    monkeypatch.setattr(haproxy, "READY_SECONDS", 0.2)
    with pytest.raises(ClassvmError, match=r"HAProxy does not start: cannot bind socket"):
        haproxy.install(desired)


def test_haproxy_that_waits_for_its_port_is_no_failure(
    desired: Desired,
    systemd: Callable[..., Path],
    says: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    systemd("activating", "enabled")
    says("")
    monkeypatch.setattr(host, "is_listened_to", lambda _: True)
    haproxy.install(desired)


def live(slot: str = "") -> Container:
    labels = {LABEL_SLOT: slot} if slot else {}
    return Container("id", "classvm-lab", "i", running=True, exit_code=0, labels=labels)


class Engine(Docker):
    def __init__(self, container: Container | None, version: str | None = "29") -> None:
        super().__init__()
        self.live, self.version = container, version

    def engine_version(self) -> str | None:
        return self.version

    def container(self, name: str) -> Container | None:
        assert name == "classvm-lab"
        return self.live


@pytest.mark.parametrize(
    ("engine", "used"),
    [
        (Engine(live("blue")), True),
        (Engine(live()), False),
        (Engine(None), False),
        (Engine(live("blue"), version=None), False),
    ],
)
def test_who_is_behind_the_edge(engine: Docker, used: bool) -> None:
    assert haproxy.is_used(engine, "lab") is used


def test_leaving_keeps_what_the_next_release_has_to_know(desired: Desired) -> None:
    Path(haproxy.record_of(desired.edge)).write_text(haproxy.record(desired.edge))
    haproxy.leave(desired.edge)
    found = Edge.load(desired.edge.state_dir)
    assert (found.strategy, found.slots, found.port) == (RECREATE, SLOTS, PORT)


def test_what_is_removed_is_gone(
    desired: Desired, systemd: Callable[..., Path], says: Callable[..., None]
) -> None:
    calls = systemd()
    says(desired.digest)
    haproxy.install(desired)
    calls.unlink()
    assert len(haproxy.remains(desired.files, desired.edge)) == 4
    haproxy.remove(desired.files, desired.edge)
    assert haproxy.remains(desired.files, desired.edge) == []
    assert verbs(calls) == ["disable --quiet --now haproxy.service", "daemon-reload"]


def test_running_is_what_haproxy_says_of_itself(
    desired: Desired, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert haproxy.running(desired.edge) == ""
    monkeypatch.setattr(Edge, "tell", lambda *_: "Name: HAProxy\ndescription: abc\nTasks: 3")
    assert haproxy.running(desired.edge) == "abc"
    monkeypatch.setattr(Edge, "tell", lambda *_: "Name: HAProxy\nTasks: 3")
    assert haproxy.running(desired.edge) == ""


def test_without_systemd_nothing_is_known(program: Program) -> None:
    program("unrelated")
    assert haproxy.properties() == {"ActiveState": "", "UnitFileState": ""}


def test_the_drop_in_gives_haproxy_the_file_that_is_installed() -> None:
    text = DROP_IN.read_text(encoding="utf-8")
    assert re.findall(r"CONFIG=(\S+)", text) == [str(Files().config)]


def test_the_record_has_no_path_of_the_state_folder(desired: Desired) -> None:
    record: dict[str, Any] = json.loads(haproxy.record(desired.edge))
    assert sorted(record) == ["port", "slots", "socket", "strategy"]


# --- Whether it runs as configured ---------------------------------------------------------------


def test_a_host_without_an_edge_has_no_problem(desired: Desired) -> None:
    assert haproxy.problem(Edge(RECREATE), desired.files) == ""


@pytest.mark.parametrize("active", ["inactive", "failed"])
def test_haproxy_that_does_not_run(
    active: str, desired: Desired, systemd: Callable[..., Path]
) -> None:
    systemd(active)
    assert haproxy.problem(desired.edge, desired.files) == "HAProxy does not run"


def test_haproxy_that_runs_with_another_configuration(
    desired: Desired, says: Callable[..., None], systemd: Callable[..., Path]
) -> None:
    desired.files.config.parent.mkdir()
    desired.files.config.write_text(desired.contents[str(desired.files.config)])
    systemd("active")
    for digest in (desired.digest, ""):  # an account may not be allowed to ask
        says(digest)
        assert haproxy.problem(desired.edge, desired.files) == ""
    says("other")
    found = haproxy.problem(desired.edge, desired.files)
    assert found == f"HAProxy runs with another configuration than {desired.files.config}"
