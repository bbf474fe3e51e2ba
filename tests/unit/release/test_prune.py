"""Which images a deploy removes."""

from __future__ import annotations

import dataclasses

import pytest
from classvm.base.errors import ClassvmError
from classvm.release import go_live
from classvm.release.release_spec import ReleaseSpec
from fake_engine import (
    BREAKS_CONTRACT,
    GOOD,
    LAST,
    OLD,
    OTHER,
    RELEASE_SPEC,
    STATE_DIR,
    Engine,
)
from start_states import (
    World,
    deploy,
    engine_in,
    nothing,
    roll_back,
)


def many(engine: Engine, count: int) -> list[ReleaseSpec]:
    """Have further images there."""
    names = [f"n{number}" for number in range(count)]
    specs = [dataclasses.replace(RELEASE_SPEC, release=n) for n in names]
    engine.behaviours.update({spec.image: GOOD for spec in specs})
    return specs


def test_a_deploy_removes_what_is_older_than_the_kept_ones(world: World) -> None:
    engine = Engine()
    world(engine)
    specs = many(engine, 5)
    removed = [go_live.release(engine, spec, STATE_DIR, 2).removed for spec in specs]
    assert removed == [[], [], [], ["classvm/lab:n0"], ["classvm/lab:n1"]]
    # The history never knew these.
    assert {OLD.image, LAST.image} <= set(engine.behaviours)


def test_a_refused_release_goes_with_the_next_good_one(world: World) -> None:
    engine = engine_in(nothing, BREAKS_CONTRACT)
    world(engine)
    with pytest.raises(ClassvmError, match="breaks its contract"):
        deploy(engine)
    assert RELEASE_SPEC.image in engine.behaviours
    assert deploy(engine, OTHER).removed == [RELEASE_SPEC.image]


def test_what_a_container_uses_stays(world: World) -> None:
    engine = Engine()
    world(engine)
    one, two = many(engine, 2)
    engine.put("of-a-student", one)
    engine.boxes["of-a-student"].publish = ("0.0.0.0", 1)
    for spec in (one, two):
        assert go_live.release(engine, spec, STATE_DIR, 0).removed == []
    del engine.boxes["of-a-student"]
    assert go_live.release(engine, OTHER, STATE_DIR, 0).removed == [one.image, two.image]


def test_what_cannot_be_removed_does_not_spoil_the_deploy(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine()
    world(engine)
    one, two = many(engine, 2)
    engine.put("of-a-student", one)
    engine.boxes["of-a-student"].publish = ("0.0.0.0", 1)
    monkeypatch.setattr("classvm.release.prune.is_used", lambda *_: False)
    for spec in (one, two):
        assert go_live.release(engine, spec, STATE_DIR, 0).removed == []
    assert one.image in engine.behaviours


def test_going_back_removes_nothing(three: Engine) -> None:
    assert roll_back(three).removed == ()
    assert ("image", "rm") not in [words[:2] for words in three.calls]
