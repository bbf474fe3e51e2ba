"""Start, restart, stop and maintenance through the program."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from classvm.base.edge import BLUE_GREEN, Edge
from classvm.base.errors import ClassvmError
from classvm.program import running
from classvm.program.host import Host
from fake_engine import Engine
from program_requests import SETTINGS, SHORT, require_documented
from start_states import engine_in, same_release, same_release_behind_the_edge, stopped

HostOf = Callable[[Engine], Host]


@pytest.mark.parametrize(("start", "changed"), [(stopped, True), (same_release, False)])
def test_start(start: Callable[[Engine], None], changed: bool, host_of: HostOf) -> None:
    engine = engine_in(start)
    host = host_of(engine)
    before = engine.state()
    dry = running.start(host, {**SHORT, "check": True})
    assert (dry["changed"], engine.state()) == (changed, before)
    answer = running.start(host, {**SHORT, "health_timeout": 5})
    require_documented("start", answer)
    assert (answer["changed"], answer["status"]["state"]) == (changed, "up")


def test_a_person_waits_as_long_as_the_last_deploy_did(host_of: HostOf) -> None:
    host = host_of(engine_in(stopped))
    with pytest.raises(ClassvmError, match="no record of how lab runs"):
        running.start(host, SHORT)
    host.remember("lab", SETTINGS)
    assert running.start(host, SHORT)["changed"] is True


def test_restart_is_always_a_change(host_of: HostOf) -> None:
    host = host_of(engine_in(same_release))
    assert running.restart(host, {**SHORT, "check": True})["changed"] is True
    answer = running.restart(host, {**SHORT, "health_timeout": 5})
    require_documented("restart", answer)
    assert answer["changed"] is True


@pytest.mark.parametrize(("start", "changed"), [(stopped, False), (same_release, True)])
def test_stop(start: Callable[[Engine], None], changed: bool, host_of: HostOf) -> None:
    engine = engine_in(start)
    host = host_of(engine)
    assert running.stop(host, {**SHORT, "check": True})["changed"] is changed
    answer = running.stop(host, SHORT)
    require_documented("stop", answer)
    assert (answer["changed"], answer["status"]["state"]) == (changed, "stopped")


def test_maintenance(host_of: HostOf, monkeypatch: pytest.MonkeyPatch) -> None:
    host = host_of(engine_in(same_release_behind_the_edge))
    monkeypatch.setattr(host.docker, "publishers", lambda _: [])
    on = {**SHORT, "on": True}
    assert running.maintain(host, {**on, "check": True}) == {"changed": True}
    assert not Edge.load(host.state_dir).in_maintenance()
    answer = running.maintain(host, on)
    require_documented("maintenance", answer)
    assert answer == {"changed": True}
    assert Edge.load(host.state_dir).in_maintenance()
    assert running.maintain(host, on) == {"changed": False}


def test_maintenance_needs_haproxy_on_the_port(
    host_of: HostOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_in(same_release)
    host = host_of(engine)
    with pytest.raises(ClassvmError, match="needs HAProxy"):
        running.maintain(host, {**SHORT, "on": True})
    engine.put_edge(BLUE_GREEN)
    monkeypatch.setattr(host.docker, "publishers", lambda _: ["classvm-lab"])
    with pytest.raises(ClassvmError, match="classvm-lab still publishes port"):
        running.maintain(host, {**SHORT, "on": True})
