"""How a live release differs from what was desired."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from classvm.base.edge import Edge
from classvm.release import drift
from fake_engine import PORT, RELEASE_SPEC, SLOTS, STATE_DIR, Engine
from start_states import (
    World,
    detached_from_its_network,
    edge_map_lacks_the_slot,
    edge_map_leads_elsewhere,
    edge_stopped,
    engine_in,
    other_log_driver,
    other_restart_policy,
    same_release,
    same_release_behind_the_edge,
    smaller_limits,
)


def problems(engine: Engine) -> list[str]:
    live = engine.container(RELEASE_SPEC.live)
    assert live is not None
    return drift.problems(engine, Edge.load(STATE_DIR), live)


@pytest.mark.parametrize("start", [same_release, same_release_behind_the_edge])
def test_what_is_as_desired_has_no_problems(start: Callable[[Engine], None], world: World) -> None:
    engine = engine_in(start)
    world(engine)
    assert problems(engine) == []


def test_a_folder_that_is_not_on_its_volume_is_told(world: World) -> None:
    engine = engine_in(same_release)
    world(engine)
    spec = dataclasses.replace(RELEASE_SPEC, keep=("/service/data",))
    box = engine.put(RELEASE_SPEC.live, spec)
    assert problems(engine) == ["/service/data is not on its volume classvm-lab-keep-data"]
    box.mounts = [{"Source": "classvm-lab-keep-data", "Target": "/service/data"}]
    assert problems(engine) == []


@pytest.mark.parametrize(
    ("start", "phrases"),
    [
        (detached_from_its_network, ["it is attached to no network"]),
        (smaller_limits, ["memory is not 512m", "pids is not 128"]),
        (other_restart_policy, ["its restart policy is 'no', not 'unless-stopped'"]),
        (other_log_driver, ["its log driver is 'journald', not the engine's 'json-file'"]),
        (edge_stopped, ["HAProxy does not run"]),
        (edge_map_leads_elsewhere, ["HAProxy leads to slot 'blue', not 'green'"]),
        (edge_map_lacks_the_slot, ["HAProxy leads to slot 'none', not 'green'"]),
    ],
)
def test_each_difference_is_told(
    start: Callable[[Engine], None], phrases: list[str], world: World
) -> None:
    engine = engine_in(start)
    world(engine)
    found = problems(engine)
    assert len(found) == len(phrases)
    assert all(one.startswith(phrase) for one, phrase in zip(found, phrases, strict=True))


def test_a_port_that_is_published_but_does_not_answer_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_in(same_release)
    world(engine)
    monkeypatch.setattr("classvm.release.health.answers", lambda _: False)
    assert problems(engine) == [f"nothing answers on port {PORT}"]


def test_another_port_is_told(world: World) -> None:
    engine = engine_in(same_release)
    world(engine)
    engine.boxes[RELEASE_SPEC.live].publish = ("0.0.0.0", PORT + 1)
    assert problems(engine) == [f"port {PORT} is not published"]


def test_a_stopped_frontend_is_told(world: World) -> None:
    engine = engine_in(same_release_behind_the_edge)
    world(engine)
    engine.haproxy.listens = False
    assert problems(engine) == [f"HAProxy does not listen on port {PORT}"]


def test_a_map_file_that_leads_elsewhere_is_told(world: World) -> None:
    """HAProxy reads it at its next start."""
    engine = engine_in(same_release_behind_the_edge)
    world(engine)
    engine.files["/state/edge.map"] = "live blue\nmaintenance off\n"
    assert problems(engine) == ["/state/edge.map leads to slot 'blue', not 'green'"]


def test_a_container_of_an_older_version_is_not_accused(world: World) -> None:
    engine = engine_in(same_release)
    world(engine)
    labels = engine.boxes[RELEASE_SPEC.live].labels
    engine.boxes[RELEASE_SPEC.live].labels = {**labels, "classvm.how": "[]"}
    assert problems(engine) == []


@pytest.mark.parametrize(
    ("start", "port"), [(same_release, PORT), (same_release_behind_the_edge, PORT)]
)
def test_the_published_port(start: Callable[[Engine], None], port: int, world: World) -> None:
    engine = engine_in(start)
    world(engine)
    live = engine.container(RELEASE_SPEC.live)
    assert live is not None
    assert drift.published_port(Edge.load(STATE_DIR), live) == port
    assert drift.published_port(Edge.load(STATE_DIR), dataclasses.replace(live, ports={})) == (
        PORT if start is same_release_behind_the_edge else 0
    )
    assert port not in SLOTS.values()
