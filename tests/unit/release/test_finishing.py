"""What those see who look while a swap is finished, and afterwards."""

from __future__ import annotations

import dataclasses

import pytest
from classvm.base import locks
from classvm.release import finishing, history, lifecycle, status
from fake_engine import (
    PORT,
    RELEASE_SPEC,
    STATE_DIR,
    Engine,
)
from start_states import (
    Start,
    World,
    assert_served_still,
    behind_the_edge,
    deploy,
    engine_in,
    other_release,
)

EARLY = dataclasses.replace(RELEASE_SPEC, background=True)
SERVES_EARLY = pytest.mark.parametrize("start", [other_release, behind_the_edge])


def seen(engine: Engine) -> tuple[status.Status, bool]:
    """Return what somebody who looks sees."""
    told = finishing.read("lab", STATE_DIR)
    return status.read(engine, "lab", STATE_DIR), told["finishing"]


@SERVES_EARLY
def test_who_looks_meanwhile_sees_the_release_that_serves(start: Start, world: World) -> None:
    engine = engine_in(start)
    world(engine)
    deploy(engine, EARLY)
    engine.is_busy = True
    found, is_finishing = seen(engine)
    assert (found.state, found.release, found.port) == (status.UP, "r2", PORT)
    assert is_finishing
    before = engine.state()
    engine.finish()
    assert engine.state() != before
    found, is_finishing = seen(engine)
    assert (found.state, found.release, is_finishing) == (status.UP, "r2", False)


def test_a_release_that_waits_for_its_check_is_not_finishing(world: World) -> None:
    engine = engine_in(other_release)
    world(engine)
    engine.is_busy = True
    history.intend(STATE_DIR, history.Entry(service="lab", release="r2"))
    found, is_finishing = seen(engine)
    assert (found.release, is_finishing) == ("r1", False)


def test_a_swap_that_was_cut_off_is_told_and_repaired(world: World) -> None:
    engine = engine_in(other_release)
    world(engine)
    deploy(engine, EARLY)
    engine.later.clear()  # it was killed
    found, is_finishing = seen(engine)
    assert (found.state, found.release, found.port) == (status.DEGRADED, "r2", PORT)
    assert (list(found.problems), is_finishing) == ([status.CUT_OFF], False)
    lifecycle.start(engine, "lab", STATE_DIR, 2)
    assert_served_still(engine, "r1")
    assert finishing.taken_back("lab", STATE_DIR).endswith("after it had begun to serve")


@pytest.mark.parametrize(("is_busy", "state"), [(True, status.UP), (False, status.DEGRADED)])
def test_where_a_candidate_has_ended_the_live_release_is_shown(
    is_busy: bool, state: str, world: World
) -> None:
    engine = engine_in(other_release)
    world(engine)
    deploy(engine, EARLY)
    engine.boxes[RELEASE_SPEC.candidate].state = "exited"
    engine.is_busy = is_busy
    found, _ = seen(engine)
    assert (found.state, found.release) == (state, "r1")
    assert (status.CUT_OFF in found.problems) is not is_busy


def test_a_process_that_ends_while_somebody_looks_was_not_cut_off(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_in(other_release)
    world(engine)
    deploy(engine, EARLY)

    def ends(_: str) -> bool:
        engine.finish()
        return False

    monkeypatch.setattr(locks, "is_held", ends)
    assert not finishing.is_cut_off("lab", STATE_DIR)


def test_the_log_is_that_of_the_container_that_serves(world: World) -> None:
    engine = engine_in(other_release)
    world(engine)
    assert finishing.serving_name("lab", STATE_DIR) == RELEASE_SPEC.live
    deploy(engine, EARLY)
    assert finishing.serving_name("lab", STATE_DIR) == RELEASE_SPEC.candidate
    engine.finish()
    assert finishing.serving_name("lab", STATE_DIR) == RELEASE_SPEC.live
