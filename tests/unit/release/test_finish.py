"""A caller has the answer when the new release serves; the rest is done in the background."""

from __future__ import annotations

import dataclasses

import pytest
from classvm.base.errors import ClassvmError
from classvm.image.image_labels import LABEL_RELEASE
from classvm.release import finishing, go_live
from fake_engine import (
    BAD_AS_LIVE,
    CRASHES_LATER,
    LAST,
    OLD,
    OTHER,
    RELEASE_SPEC,
    STATE_DIR,
    Behaviour,
    Engine,
)
from start_states import (
    HISTORY,
    Start,
    World,
    assert_only_live,
    assert_served_still,
    behind_the_edge,
    deploy,
    deploy_early,
    edge_alone,
    engine_in,
    left_over,
    lines,
    nothing,
    other_release,
    other_release_without_nftables,
    roll_back,
    to_go_behind_the_edge,
    to_leave_the_edge,
)

EARLY = dataclasses.replace(RELEASE_SPEC, background=True)
SERVES_EARLY = pytest.mark.parametrize("start", [other_release, behind_the_edge])


@SERVES_EARLY
def test_the_answer_comes_when_the_new_release_serves(start: Start, world: World) -> None:
    engine = engine_in(start)
    world(engine)
    began = engine.clock.now
    outcome = deploy(engine, EARLY)
    assert (outcome.changed, outcome.release, outcome.replaced) == (True, "r2", "r1")
    assert outcome.finishing == "the former release stands by for 3 s"
    assert engine.boxes[outcome.container.removeprefix("id-")].labels[LABEL_RELEASE] == "r2"
    assert engine.serving() == "r2"
    assert engine.clock.now - began < RELEASE_SPEC.seconds.steady
    assert (lines(engine), len(engine.boxes)) == ([], 2)
    engine.finish()
    assert_only_live(engine)
    (line,) = lines(engine)
    assert (line["result"], line["release"]) == ("live", "r2")
    assert line["served"] < line["alone"]
    assert left_over(engine) == {HISTORY}
    assert engine.clock.now - began >= RELEASE_SPEC.seconds.steady


def test_after_a_rollback_nobody_stands_by(three: Engine) -> None:
    began = three.clock.now
    outcome = roll_back(three, background=True)
    assert outcome.finishing == "the former release ends in the background"
    three.finish()
    assert_only_live(three)
    assert three.clock.now - began < RELEASE_SPEC.seconds.steady


@pytest.mark.parametrize(
    "start",
    [
        nothing,
        other_release_without_nftables,
        edge_alone,
        to_go_behind_the_edge,
        # What comes next removes HAProxy, behind which the former release would be.
        to_leave_the_edge,
    ],
)
def test_elsewhere_the_answer_comes_at_the_end(start: Start, world: World) -> None:
    engine = engine_in(start)
    world(engine)
    assert deploy(engine, EARLY).finishing == ""
    assert engine.later == []
    assert_only_live(engine)


@SERVES_EARLY
def test_who_waits_has_the_answer_at_the_end(start: Start, world: World) -> None:
    engine = engine_in(start)
    world(engine)
    assert deploy(engine, RELEASE_SPEC).finishing == ""
    assert engine.later == []
    assert_only_live(engine)


@SERVES_EARLY
def test_where_no_process_can_be_started_the_caller_does_the_rest(
    start: Start, world: World
) -> None:
    engine = engine_in(start)
    engine.may_fork = False
    world(engine)
    assert deploy(engine, EARLY).finishing == ""
    assert_only_live(engine)


def test_images_of_old_releases_go_in_the_background(world: World) -> None:
    engine = engine_in(nothing)
    world(engine)
    for spec in (OLD, RELEASE_SPEC, OTHER):
        deploy_early(engine, spec)
    outcome = go_live.release(engine, dataclasses.replace(LAST, background=True), STATE_DIR, 1)
    assert outcome.removed == ()
    assert OLD.image in engine.behaviours
    engine.finish()
    assert set(engine.behaviours) == {OTHER.image, LAST.image}


# --- A release that ends after the answer ---------------------------------------------------------


@SERVES_EARLY
def test_the_former_release_serves_again_and_the_next_look_tells_why(
    start: Start, world: World
) -> None:
    engine = engine_in(start, CRASHES_LATER)
    world(engine)
    assert deploy_early(engine).release == "r2"
    assert_served_still(engine, "r1")
    assert (engine.led, left_over(engine)) == ("", {HISTORY})
    (line,) = lines(engine)
    assert line["result"] == "refused"
    assert line["served"]
    assert finishing.taken_back("lab", STATE_DIR) == (
        "release r2 was refused after clients had begun to reach it: it ended with exit code 3,"
        " shortly after it was healthy"
    )
    # Until another one is live.
    deploy_early(engine, OTHER)
    assert finishing.taken_back("lab", STATE_DIR) == ""


def test_haproxy_leads_back_before_anybody_asks_why(world: World) -> None:
    engine = engine_in(behind_the_edge, CRASHES_LATER)
    world(engine)
    deploy(engine, EARLY)
    at = len(engine.calls)
    engine.finish()
    since = [words[0] for words in engine.calls[at:]]
    assert since.index("haproxy") < since.index("logs")


def test_one_that_does_not_start_on_the_port_gives_way(world: World) -> None:
    engine = engine_in(other_release, BAD_AS_LIVE)
    world(engine)
    deploy_early(engine)
    assert_served_still(engine, "r1")
    assert finishing.taken_back("lab", STATE_DIR)


def test_one_that_was_refused_as_a_candidate_was_not_taken_back(world: World) -> None:
    engine = engine_in(other_release, Behaviour(crashes=True))
    world(engine)
    with pytest.raises(ClassvmError):
        deploy(engine, EARLY)
    assert engine.later == []
    assert finishing.taken_back("lab", STATE_DIR) == ""
