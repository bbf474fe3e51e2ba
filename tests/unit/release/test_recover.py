"""What an interrupted run left behind is finished or undone."""

from __future__ import annotations

import dataclasses

import pytest
from classvm.release import health, history
from classvm.release.release_spec import LIVE_CPU_SHARES
from fake_engine import (
    PORT,
    RELEASE_SPEC,
    STATE_DIR,
    Behaviour,
    Cut,
    Killed,
)
from start_states import (
    World,
    assert_only_live,
    deploy,
    engine_in,
    lines,
    nothing,
    other_release,
    previous_left_no_live,
)


def test_a_release_that_comes_up_while_a_cut_is_settled_is_not_replaced(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_in(other_release)
    world(engine)
    deploy(engine)
    live, (line,) = engine.boxes[RELEASE_SPEC.live], history.read(STATE_DIR, RELEASE_SPEC.service)
    # Cut off when it had been started: the engine brings it up again.
    live.state = "exited"
    history.intend(STATE_DIR, dataclasses.replace(line, time="later"))
    monkeypatch.setattr(health, "wait", lambda *_: setattr(live, "state", "running"))
    assert not deploy(engine).changed


def test_a_cut_off_swap_does_not_block_another_port(world: World) -> None:
    engine = engine_in(previous_left_no_live)
    engine.process_ports.add(PORT)
    world(engine)
    elsewhere = dataclasses.replace(RELEASE_SPEC, host_port=PORT + 1)
    deploy(engine, elsewhere)
    assert_only_live(engine, elsewhere)


def test_what_was_started_a_moment_ago_is_given_the_time_to_become_healthy(world: World) -> None:
    engine = engine_in(nothing, Behaviour(healthy_after=3))
    world(engine)
    deploy(engine)
    starts = [at for at, words in enumerate(engine.calls, 1) if words[0] == "start"]
    engine = engine_in(nothing, Behaviour(healthy_after=3))
    engine.cut = Cut(starts[-1], "wholly", Killed)
    world(engine)
    with pytest.raises(Killed):
        deploy(engine)
    engine.revive()
    assert not deploy(engine).changed
    assert [line["result"] for line in lines(engine)] == ["live"]


@pytest.mark.parametrize("shares", ["128", "1024"])
def test_a_live_release_has_its_share_of_the_processor_whatever_left_it_without(
    world: World, shares: str
) -> None:
    """A swap that was cut off, or an older clone, which knew another one."""
    engine = engine_in(nothing)
    world(engine)
    deploy(engine)
    live = engine.boxes[RELEASE_SPEC.live]
    live.cpu_shares = shares
    assert not deploy(engine).changed
    assert engine.boxes[RELEASE_SPEC.live] is live
    assert live.cpu_shares == LIVE_CPU_SHARES
