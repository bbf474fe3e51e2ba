"""A run cut off at every call is finished or undone by the next."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable

import pytest
from classvm.base.edge import Edge
from classvm.base.errors import ClassvmError
from classvm.release import history, lifecycle, recover
from fake_engine import (
    BAD_AS_LIVE,
    BREAKS_CONTRACT,
    GOOD,
    LAST,
    RELEASE_SPEC,
    STATE_DIR,
    Behaviour,
    Cut,
    Engine,
    Killed,
    cuts,
)
from start_states import (
    EACH_START,
    HISTORY,
    SERVED,
    Start,
    World,
    assert_only_live,
    deploy,
    deploy_early,
    engine_in,
    left_over,
    other_release,
    roll_back,
)


@EACH_START
@pytest.mark.parametrize("by", [Killed, KeyboardInterrupt])
@pytest.mark.parametrize(
    "behaviour", [GOOD, BREAKS_CONTRACT, BAD_AS_LIVE], ids=["good", "refused", "refused as live"]
)
@pytest.mark.parametrize("work", [deploy, deploy_early], ids=["one process", "two processes"])
def test_a_run_cut_off_anywhere_is_finished_by_the_next(
    start: Start,
    by: type[BaseException],
    behaviour: Behaviour,
    work: Callable[[Engine], object],
    world: World,
) -> None:
    engine = engine_in(start, behaviour)
    world(engine)
    with contextlib.suppress(ClassvmError):
        work(engine)
    if work is deploy_early and ("fork",) not in engine.calls:
        return  # It is the other case once more.
    assert "exec" in engine.verbs()
    seen: set[str] = set()
    for cut in cuts(engine.calls, by):
        engine = engine_in(start, behaviour)
        engine.cut = cut
        world(engine)
        with pytest.raises(by):
            work(engine)
        engine.revive()
        if engine.state() + repr(engine.files) not in seen:
            seen.add(engine.state() + repr(engine.files))
            finish(engine, start, world, cut)


def finish(engine: Engine, start: Start, world: World, cut: Cut) -> None:
    """Run again after a cut: once with a release that is refused, once with the desired one."""
    refused = copy.deepcopy(engine)
    refused.behaviours[LAST.image] = BREAKS_CONTRACT
    world(refused)
    with pytest.raises(ClassvmError, match="breaks its contract"):
        deploy(refused, LAST)
    assert set(refused.boxes) <= {RELEASE_SPEC.live}, cut
    assert left_over(refused) == {HISTORY}, cut
    if start in SERVED:
        assert refused.boxes[RELEASE_SPEC.live].healthy, cut
    for box in engine.boxes.values():
        if box.image == RELEASE_SPEC.image:
            box.behaviour = GOOD
    engine.behaviours[RELEASE_SPEC.image] = GOOD
    world(engine)
    deploy(engine)
    assert_only_live(engine)
    assert left_over(engine) == {HISTORY}, cut
    good = [one for one in history.read(STATE_DIR, "lab") if one.went_live]
    assert good[-1].release == "r2", cut
    assert len({one.time for one in good}) == len(good), cut


@pytest.mark.parametrize("by", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("work", [deploy, deploy_early], ids=["one process", "two processes"])
def test_an_interruption_leaves_the_old_release_serving(
    by: type[BaseException], work: Callable[[Engine], object], world: World
) -> None:
    """Not only the next run: already the interrupted one puts back what it moved."""
    engine = engine_in(other_release)
    world(engine)
    work(engine)
    for cut in cuts(engine.calls, by):
        engine = engine_in(other_release)
        engine.cut = cut
        world(engine)
        with pytest.raises(by):
            work(engine)
        serving = [box for box in engine.boxes.values() if box.running and box.outside]
        assert len(serving) == 1, cut
        assert serving[0].healthy, cut


Work = Callable[[Engine], object]


@pytest.mark.parametrize(
    "work",
    [
        roll_back,
        lambda engine: lifecycle.start(engine, "lab", STATE_DIR, 2),
        lambda engine: lifecycle.restart(engine, "lab", STATE_DIR, 2),
        lambda engine: recover.recover(engine, "lab", STATE_DIR, Edge.load(STATE_DIR)),
    ],
    ids=["rollback", "start", "restart", "recover"],
)
@pytest.mark.parametrize("stopped", [False, True])
def test_other_work_cut_off_anywhere_is_finished_by_the_next(
    work: Work,
    stopped: bool,
    three: Engine,
    world: World,
) -> None:
    if stopped:
        lifecycle.stop(three, "lab", STATE_DIR)
        three.revive()
    done = copy.deepcopy(three)
    world(done)
    work(done)
    for cut in cuts(done.calls, Killed):
        engine = copy.deepcopy(three)
        engine.cut = cut
        world(engine)
        with pytest.raises(Killed):
            work(engine)
        engine.revive()
        lifecycle.start(engine, "lab", STATE_DIR, 2)
        assert set(engine.boxes) == {RELEASE_SPEC.live}, cut
        assert left_over(engine) == {HISTORY}, cut
        assert engine.serving() in {"r2", "r3"}, cut
        good = [one.release for one in history.read(STATE_DIR, "lab") if one.went_live]
        assert good[-1] == engine.serving(), cut
