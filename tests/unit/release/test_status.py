"""What `make status` reports."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from classvm.base.edge import ON, Edge
from classvm.release import status
from fake_engine import NEVER_HEALTHY, OLD, PORT, RELEASE_SPEC, STATE_DIR, Engine
from start_states import (
    World,
    detached_from_its_network,
    edge_map_leads_elsewhere,
    edge_stopped,
    engine_in,
    nothing,
    other_log_driver,
    other_restart_policy,
    same_release,
    same_release_behind_the_edge,
    smaller_limits,
    stopped,
)


def unhealthy(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, OLD, behaviour=NEVER_HEALTHY)


@pytest.mark.parametrize(
    ("start", "state", "release", "port"),
    [
        (nothing, status.ABSENT, "", 0),
        (same_release, status.UP, "r2", PORT),
        (same_release_behind_the_edge, status.UP, "r2", PORT),
        (unhealthy, status.UNHEALTHY, "r1", PORT),
        (stopped, status.STOPPED, "r1", 0),
    ],
)
def test_the_status(
    start: Callable[[Engine], None], state: str, release: str, port: int, world: World
) -> None:
    engine = engine_in(start)
    world(engine)
    found = status.read(engine, "lab", STATE_DIR)
    assert (found.state, found.release, found.port) == (state, release, port)
    assert found.since == ("2026-01-01T10:00:00Z" if release else "")
    assert list(found.problems) == []
    assert (found.maintenance, found.restarts) == (False, 0)
    assert found.edge == (
        status.EDGE_UP if start is same_release_behind_the_edge else status.NO_EDGE
    )
    assert found.is_running == (state not in (status.ABSENT, status.STOPPED))


@pytest.mark.parametrize(
    "start",
    [
        detached_from_its_network,
        smaller_limits,
        other_restart_policy,
        other_log_driver,
        edge_stopped,
        edge_map_leads_elsewhere,
    ],
)
def test_what_differs_from_what_was_desired_is_degraded(
    start: Callable[[Engine], None], world: World
) -> None:
    engine = engine_in(start)
    world(engine)
    before = engine.state()
    found = status.read(engine, "lab", STATE_DIR)
    assert found.state == status.DEGRADED
    assert found.problems
    assert engine.state() == before


def test_the_port_is_the_one_that_is_really_published(world: World) -> None:
    engine = engine_in(same_release)
    world(engine)
    engine.boxes[RELEASE_SPEC.live].publish = ("0.0.0.0", 12345)
    assert status.read(engine, "lab", STATE_DIR).port == 12345


def test_maintenance_and_restarts_are_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_in(same_release_behind_the_edge)
    world(engine)
    engine.boxes[RELEASE_SPEC.live].restarts = 3
    monkeypatch.setattr(Edge, "read", lambda edge: {**edge_map(edge), "maintenance": ON})
    found = status.read(engine, "lab", STATE_DIR)
    assert (found.maintenance, found.restarts) == (True, 3)


def test_a_stopped_haproxy_is_told_of_a_stopped_service_too(world: World) -> None:
    engine = engine_in(edge_stopped)
    world(engine)
    engine.boxes[RELEASE_SPEC.live].state = "exited"
    found = status.read(engine, "lab", STATE_DIR)
    assert (found.state, found.edge) == (status.STOPPED, status.EDGE_DOWN)


edge_map = Edge.read
