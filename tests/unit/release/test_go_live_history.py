"""What the history says of a deploy."""

from __future__ import annotations

import pytest
from classvm.base import state
from classvm.base.errors import ClassvmError
from fake_engine import (
    BAD_AS_LIVE,
    BREAKS_CONTRACT,
    GAP,
    OTHER,
    RELEASE_SPEC,
    SECONDS,
    TWICE,
    Cut,
)
from start_states import (
    Start,
    World,
    behind_the_edge,
    deploy,
    engine_in,
    lines,
    nothing,
    other_release,
    same_release,
    stopped,
)


def test_history_has_one_line_per_change(world: World) -> None:
    engine = engine_in(nothing)
    world(engine)
    outcomes = [deploy(engine, spec) for spec in (RELEASE_SPEC, RELEASE_SPEC, OTHER)]
    assert [outcome.replaced for outcome in outcomes] == ["", "r2", "r2"]
    first, second = lines(engine)
    assert first == {
        "time": "2026-01-01T00:00:00.001Z",
        "service": "lab",
        "release": "r2",
        "image": "classvm/lab:r2",
        "image_id": "sha256:classvm/lab:r2",
        "settings": RELEASE_SPEC.settings,
        "revision": "abc1234",
        "who": "student",
        "replaced": "",
        "result": "live",
        "reason": "",
        "gap": None,
        "seconds": SECONDS,
        "served": "2026-01-01T00:00:00.002Z",
        "alone": "2026-01-01T00:00:00.003Z",
    }
    assert (second["release"], second["replaced"], second["gap"]) == ("r3", "r2", GAP)
    assert [outcome.gap for outcome in outcomes] == [None, None, GAP]
    assert [outcome.seconds for outcome in outcomes] == [SECONDS, 0.0, TWICE]


@pytest.mark.parametrize("start", [nothing, other_release, behind_the_edge, stopped])
def test_history_tells_when_it_served_and_when_the_former_one_was_gone(
    start: Start, world: World
) -> None:
    engine = engine_in(start)
    world(engine)
    deploy(engine)
    (line,) = lines(engine)
    assert line["time"] < line["served"] < line["alone"]


def test_what_was_refused_before_it_served_has_neither_moment(world: World) -> None:
    engine = engine_in(other_release, BREAKS_CONTRACT)
    world(engine)
    with pytest.raises(ClassvmError, match="breaks its contract"):
        deploy(engine)
    (line,) = lines(engine)
    assert (line["served"], line["alone"]) == ("", "")


def test_a_refusal_during_the_swap_tells_the_gap(world: World) -> None:
    engine = engine_in(other_release, BAD_AS_LIVE)
    world(engine)
    with pytest.raises(ClassvmError, match="was refused"):
        deploy(engine)
    (line,) = lines(engine)
    assert (line["result"], line["gap"], line["seconds"]) == ("refused", GAP, TWICE)


def test_what_is_live_but_not_in_the_history_gets_its_line(world: World) -> None:
    engine = engine_in(same_release)
    world(engine)
    assert not deploy(engine).changed
    (line,) = lines(engine)
    assert (line["release"], line["result"], line["seconds"]) == ("r2", "live", 0.0)
    deploy(engine)
    assert len(lines(engine)) == 1


def test_an_interrupted_attempt_gets_its_line(world: World) -> None:
    engine = engine_in(other_release)
    world(engine)
    engine.cut = Cut(20, "not", KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        deploy(engine)
    (line,) = lines(engine)
    assert (line["result"], line["reason"]) == ("refused", "interrupted: KeyboardInterrupt()")


def test_a_refusal_that_cannot_be_recorded_tells_both(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_in(other_release, BREAKS_CONTRACT)
    world(engine)

    def full(*_: object) -> None:
        raise ClassvmError("releases.jsonl cannot be written (No space left on device)")

    monkeypatch.setattr(state, "append", full)
    with pytest.raises(ClassvmError, match=r"(?s)breaks its contract.*cannot be written"):
        deploy(engine)
    assert engine.serving() == "r1"
