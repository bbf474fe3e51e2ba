"""The swap without a gap: its order, and that somebody answers at each moment, whatever happens."""

from __future__ import annotations

import copy
import dataclasses
import os
from collections.abc import Callable, Sequence

import pytest
from classvm.base.edge import LABEL_SLOT
from classvm.base.errors import ClassvmError
from classvm.image.image_labels import LABEL_DRAIN, LABEL_RELEASE
from classvm.release import gap, history, lifecycle, refusal
from classvm.release.redirect import NO_NFTABLES, NOT_ROOT
from classvm.release.release_spec import (
    ALWAYS,
    CANDIDATE_CPU_SHARES,
    EVEN_STOPPED,
    LIVE_CPU_SHARES,
)
from fake_engine import (
    BAD_AS_LIVE,
    BREAKS_CONTRACT,
    CRASHES_LATER,
    GOOD,
    OLD,
    OWN_PORT,
    PORT,
    RELEASE_SPEC,
    STATE_DIR,
    Behaviour,
    Box,
    Cut,
    Engine,
    Killed,
    cuts,
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
    other_release_on_another_port,
    other_release_without_nftables,
    roll_back,
    roll_back_early,
    stopped,
    to_go_behind_the_edge,
    to_leave_the_edge,
)

JOURNAL = os.path.join(STATE_DIR, "swap-lab.json")
NOTE = os.path.join(STATE_DIR, "redirect-lab")
LIVE, CANDIDATE, PREVIOUS = RELEASE_SPEC.live, RELEASE_SPEC.candidate, RELEASE_SPEC.previous
STEPS = ("create", "update", "rename", "start", "stop", "rm", "nft", "write", "unlink")


def test_clients_go_to_the_candidate_while_the_port_changes_hands(world: World) -> None:
    engine = engine_in(other_release)
    world(engine)
    deploy(engine)
    (address,) = engine.led_to
    assert [words[:3] for words in engine.calls if words[0] in (*STEPS, "append")] == [
        ("nft", ""),
        ("create", "--cpu-shares", CANDIDATE_CPU_SHARES),
        ("start", CANDIDATE),
        ("update", "--restart", ALWAYS),
        ("write", JOURNAL),
        ("write", NOTE),
        ("nft", address),
        ("write", JOURNAL),
        ("rename", LIVE, PREVIOUS),
        ("create", "--cpu-shares", CANDIDATE_CPU_SHARES),
        ("update", "--restart", EVEN_STOPPED),
        ("stop", PREVIOUS),
        ("start", LIVE),
        ("update", "--cpu-shares", LIVE_CPU_SHARES),
        ("nft", ""),
        ("rm", "--force", "--volumes"),
        ("nft", ""),
        ("unlink", NOTE),
        ("rm", "--volumes", PREVIOUS),
        ("append", HISTORY),
        ("unlink", JOURNAL),
    ]
    assert engine.led == ""
    assert_only_live(engine)


def test_the_candidate_has_a_port_of_its_own(world: World) -> None:
    engine = engine_in(other_release)
    world(engine)
    deploy(engine)
    published = [
        words[words.index("--publish") + 1] for words in engine.calls if words[0] == "create"
    ]
    assert published == [f"{OWN_PORT}:8080", f"{PORT}:8080"]


def test_the_steady_time_is_over_before_the_former_one_stops(world: World) -> None:
    class Timed(Engine):
        stopped_at = -1.0

        def run(self, *words: str, stdin: bytes | None = None) -> object:  # type: ignore[override] # as Engine
            if words[0] == "stop":
                self.stopped_at = self.clock.now
            return super().run(*words, stdin=stdin)

    engine = Timed()
    other_release(engine)
    world(engine)
    deploy(engine)
    assert engine.stopped_at >= RELEASE_SPEC.seconds.steady


def test_a_release_that_has_proven_itself_is_not_waited_for(three: Engine) -> None:
    before = three.clock.now
    roll_back(three)
    assert three.clock.now - before < RELEASE_SPEC.seconds.steady


def test_one_that_has_proven_itself_starts_with_the_share_of_a_live_one(three: Engine) -> None:
    """Nothing is left to do between its creation and its start: somebody waits for it."""
    roll_back(three)
    begins = three.calls.index(("start", CANDIDATE))
    created = three.calls[begins - 1]
    assert created[:3] == ("create", "--cpu-shares", LIVE_CPU_SHARES)
    assert created[created.index("--restart") + 1] == ALWAYS


def test_one_that_ends_in_the_steady_time_gives_way_to_the_former_one(world: World) -> None:
    engine = engine_in(other_release, CRASHES_LATER)
    world(engine)
    with pytest.raises(ClassvmError, match="shortly after it was healthy") as refused:
        deploy(engine)
    assert refusal.SERVED in str(refused.value)
    assert refusal.UNTOUCHED not in str(refused.value)
    (address,) = engine.led_to
    # Nobody asks first why the new one ended, or whether the former one is healthy.
    since = [words[0] for words in engine.calls[engine.calls.index(("nft", address)) + 1 :]]
    before = since[: since.index("nft")]
    assert not {"exec", "logs"} & set(before)
    assert {"exec", "logs"} <= set(since)
    assert_served_still(engine, "r1")
    assert engine.boxes[LIVE].stops == 0
    assert (engine.led, left_over(engine)) == ("", {HISTORY})
    (line,) = lines(engine)
    assert line["served"]


@pytest.mark.parametrize("behaviour", [BREAKS_CONTRACT, BAD_AS_LIVE])
def test_one_that_is_refused_leaves_no_rule(behaviour: Behaviour, world: World) -> None:
    engine = engine_in(other_release, behaviour)
    world(engine)
    with pytest.raises(ClassvmError):
        deploy(engine)
    assert [words for words in engine.calls if words[0] == "nft"][-1] == ("nft", "")
    assert_served_still(engine, "r1")


def test_rules_that_cannot_be_removed_do_not_hide_why_it_was_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_in(other_release, BREAKS_CONTRACT)
    world(engine)

    def load(rules: str) -> None:
        if "closed" not in rules:
            raise ClassvmError("nft failed")

    monkeypatch.setattr("classvm.release.redirect.load", load)
    with pytest.raises(ClassvmError, match="breaks its contract"):
        deploy(engine)


def test_a_rollback_has_no_gap_either(three: Engine) -> None:
    three.led_to.clear()
    assert roll_back(three).release == "r2"
    assert len(three.led_to) == 1
    assert "run" not in three.verbs()
    assert_only_live(three)


@pytest.mark.parametrize(
    ("start", "seconds"),
    [
        (other_release, gap.RARE_POLL_SECONDS),
        (behind_the_edge, gap.RARE_POLL_SECONDS),
        (other_release_without_nftables, gap.POLL_SECONDS),
    ],
)
def test_who_measures_asks_seldom_where_nobody_has_to_wait(
    start: Start, seconds: float, world: World
) -> None:
    engine = engine_in(start)
    world(engine)
    deploy(engine)
    assert engine.poll_seconds == seconds


def test_the_edge_is_left_without_a_gap(world: World) -> None:
    engine = engine_in(to_leave_the_edge)
    world(engine)
    deploy(engine)
    assert engine.led_to
    assert_only_live(engine)


def test_clients_that_haproxy_still_has_are_answered_before_their_release_stops(
    world: World,
) -> None:
    engine = engine_in(to_leave_the_edge)
    world(engine)
    deploy(engine)
    steps = [words[:2] for words in engine.calls if words[0] in ("start", "systemctl", "stop")]
    ended = [("systemctl", "kill"), ("systemctl", "stop"), ("stop", PREVIOUS)]
    assert steps == [("start", CANDIDATE), ("start", LIVE), *ended]
    assert not engine.haproxy.up
    assert not engine.haproxy.waits


def test_haproxy_stays_where_the_next_release_is_behind_it_too(world: World) -> None:
    engine = engine_in(behind_the_edge)
    world(engine)
    deploy(engine)
    assert "systemctl" not in engine.verbs()
    assert engine.haproxy.listens


def test_the_edge_gets_the_port_without_a_gap(world: World) -> None:
    engine = engine_in(to_go_behind_the_edge)
    world(engine)
    deploy(engine)
    (address,) = engine.led_to
    led = engine.calls.index(("nft", address))
    done = engine.calls.index(("nft", ""), led)
    between = [words[:2] for words in engine.calls[led:done]]
    moves = [one for one in between if one[0] in ("rename", "start", "stop")]
    assert moves == [("rename", LIVE), ("start", LIVE), ("stop", PREVIOUS)]
    assert ("haproxy", "enable") in between
    assert_only_live(engine)
    assert engine.led == ""


@pytest.mark.parametrize("obstacle", [NO_NFTABLES, NOT_ROOT])
def test_what_is_missing_on_the_way_to_the_edge_is_said(obstacle: str, world: World) -> None:
    engine = engine_in(to_go_behind_the_edge)
    engine.obstacle = obstacle
    world(engine)
    assert deploy(engine).gap_reason == obstacle
    assert "nft" not in engine.verbs()
    assert_only_live(engine)


def test_a_first_release_behind_the_edge_needs_no_redirect(world: World) -> None:
    engine = engine_in(edge_alone)
    engine.obstacle = NO_NFTABLES
    world(engine)
    assert deploy(engine).gap_reason == ""


@pytest.mark.parametrize("start", [nothing, stopped, other_release_on_another_port])
def test_where_nobody_serves_on_the_port_nothing_is_redirected(start: Start, world: World) -> None:
    engine = engine_in(start)
    world(engine)
    outcome = deploy(engine)
    assert (engine.led_to, outcome.gap_reason) == ([], "")


@pytest.mark.parametrize("obstacle", [NO_NFTABLES, NOT_ROOT])
def test_what_is_missing_is_said(obstacle: str, world: World) -> None:
    engine = engine_in(other_release)
    engine.obstacle = obstacle
    world(engine)
    assert deploy(engine).gap_reason == obstacle
    assert "nft" not in engine.verbs()
    assert_only_live(engine)


def test_where_no_swap_without_a_gap_is_asked_for_the_port_changes_hands(world: World) -> None:
    engine = engine_in(other_release)
    world(engine)
    desired = dataclasses.replace(RELEASE_SPEC, gapless=False)
    outcome = deploy(engine, desired)
    assert (engine.led_to, outcome.gap_reason) == ([], "")
    assert_only_live(engine)


def test_without_a_gap_nothing_is_missing(world: World) -> None:
    engine = engine_in(other_release)
    world(engine)
    assert deploy(engine).gap_reason == ""


def test_a_candidate_that_vanishes_is_refused(world: World) -> None:
    class Forgetful(Engine):
        def _update(self, words: tuple[str, ...]) -> str:
            del self.boxes[words[-1]]
            return ""

        _answers = {**Engine._answers, "update": _update}  # noqa: RUF012 - as in Engine

    engine = Forgetful()
    other_release(engine)
    world(engine)
    with pytest.raises(ClassvmError, match="The candidate of release r2 is gone"):
        deploy(engine)
    assert_served_still(engine, "r1")


# --- What has begun is answered -----------------------------------------------------------------


def test_the_former_one_answers_what_it_has_begun(world: World) -> None:
    engine = engine_in(other_release)
    engine.open = [2, 1, 0, 1, 0, 0]
    world(engine)
    deploy(engine)
    # A quiet moment is not enough.
    assert engine.open == []


def test_it_is_not_waited_for_longer_than_a_request_may_take(world: World) -> None:
    engine = engine_in(other_release)
    engine.open = [1] * 10_000
    world(engine)
    deploy(engine)
    assert_only_live(engine)
    assert engine.clock.now < 2 * RELEASE_SPEC.seconds.request + 10


@pytest.mark.parametrize("labels", [{}, {LABEL_DRAIN: "USR1"}])
def test_a_program_that_has_a_signal_for_it_is_told(labels: dict[str, str], world: World) -> None:
    engine = engine_in(other_release)
    engine.image_labels[OLD.image] = labels
    world(engine)
    deploy(engine)
    told = [words for words in engine.calls if words[0] == "signal"]
    assert told == ([("signal", "USR1", PREVIOUS)] if labels else [])


# --- Interrupted --------------------------------------------------------------------------------


def answering(engine: Engine) -> list[Box]:
    """Return the containers to which a new connection for the port may go."""
    running = [box for box in engine.boxes.values() if box.running]
    if engine.led:
        return [box for box in running if box.address == engine.led]
    if engine.haproxy.listens:
        live = engine.haproxy.map["live"]
        return [box for box in running if box.labels.get(LABEL_SLOT) == live]
    return [box for box in running if box.publish[1] == PORT]


Work = Callable[[Engine], object]
ORDERS = [(), (LIVE, PREVIOUS), (PREVIOUS, LIVE)]


@pytest.mark.parametrize(
    "work",
    [
        lambda engine: deploy(engine, OLD),
        roll_back,
        lambda engine: deploy_early(engine, OLD),
        roll_back_early,
    ],
    ids=["deploy", "rollback", "deploy in two processes", "rollback in two processes"],
)
def test_somebody_answers_wherever_a_run_is_killed_and_the_next_run_tidies_up(
    work: Work, world: World
) -> None:
    start = engine_in(nothing)
    world(start)
    for spec in (OLD, RELEASE_SPEC):
        deploy(start, spec)
    start.revive()
    start.led_to.clear()
    done = copy.deepcopy(start)
    world(done)
    work(done)
    assert done.led_to
    for cut in cuts(done.calls, Killed):
        killed = killed_at(start, cut, work, world)
        assert answering(killed), cut
        deploy(killed, OLD)
        assert_only_live(killed, OLD)
        assert (killed.led, left_over(killed)) == ("", {HISTORY}), cut


@pytest.mark.parametrize("situation", [to_go_behind_the_edge, to_leave_the_edge])
def test_somebody_answers_wherever_a_change_of_the_strategy_is_killed(
    situation: Start, world: World
) -> None:
    start = engine_in(situation)
    world(start)
    done = copy.deepcopy(start)
    world(done)
    deploy(done)
    assert done.led_to
    for cut in cuts(done.calls, Killed):
        killed = killed_at(start, cut, deploy, world)
        assert answering(killed), cut
        deploy(killed)
        assert_only_live(killed)
        assert (killed.led, left_over(killed)) == ("", {HISTORY}), cut


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("situation", "work"),
    [
        (other_release, deploy),
        (other_release, deploy_early),
        (other_release_without_nftables, deploy),
        (to_go_behind_the_edge, deploy),
        (to_leave_the_edge, deploy),
    ],
)
def test_somebody_answers_after_a_reboot_wherever_a_run_was_killed(
    situation: Start, work: Work, order: Sequence[str], world: World
) -> None:
    start = engine_in(situation)
    world(start)
    done = copy.deepcopy(start)
    world(done)
    work(done)
    for cut in cuts(done.calls, Killed):
        killed = killed_at(start, cut, work, world)
        killed.reboot([name for name in order if name in killed.boxes])
        assert answering(killed), cut
        # This boot has no rules, so whoever comes next may be anybody.
        killed.obstacle = NOT_ROOT
        lifecycle.start(killed, "lab", STATE_DIR, 2)
        assert set(killed.boxes) == {LIVE}, cut
        assert killed.boxes[LIVE].restart == ALWAYS, cut
        assert killed.serving() in {"r1", "r2"}, cut
        good = [one.release for one in history.read(STATE_DIR, "lab") if one.went_live]
        assert not good or good[-1] == killed.serving(), cut


def killed_at(start: Engine, cut: Cut, work: Work, world: World) -> Engine:
    """Return the engine of a run that was killed, ready for the next one."""
    engine = copy.deepcopy(start)
    engine.cut = cut
    world(engine)
    with pytest.raises(Killed):
        work(engine)
    engine.revive()
    return engine


def led_by_a_killed_run(world: World) -> Engine:
    """Return an engine on which clients are led to a candidate, and nobody is at work."""
    engine = engine_in(other_release)
    world(engine)
    deploy(engine)
    (stop,) = [at for at, words in enumerate(engine.calls, 1) if words[0] == "stop"]
    start = engine_in(other_release)
    killed = killed_at(start, Cut(stop, "wholly", Killed), deploy, world)
    assert killed.led
    return killed


@pytest.mark.parametrize("obstacle", [NO_NFTABLES, NOT_ROOT])
def test_an_account_that_cannot_end_a_redirect_touches_nothing(obstacle: str, world: World) -> None:
    engine = led_by_a_killed_run(world)
    engine.obstacle, before = obstacle, engine.state()
    with pytest.raises(ClassvmError, match=r"(?s)only root can end .* inet classvm_swap_lab"):
        deploy(engine)
    assert engine.state() == before
    assert answering(engine)


def test_to_stop_the_service_stops_a_candidate_that_serves(world: World) -> None:
    engine = led_by_a_killed_run(world)
    assert lifecycle.stop(engine, "lab", STATE_DIR)
    assert answering(engine) == []
    lifecycle.start(engine, "lab", STATE_DIR, 2)
    assert (engine.led, engine.serving()) == ("", "r1")


def test_a_former_release_is_healthy_before_clients_go_back_to_it(world: World) -> None:
    engine = led_by_a_killed_run(world)
    engine.boxes[PREVIOUS].probes, engine.boxes[PREVIOUS].behaviour = 0, Behaviour(healthy_after=3)
    lifecycle.start(engine, "lab", STATE_DIR, 2)
    off = engine.calls.index(("nft", ""))
    asked = [at for at, words in enumerate(engine.calls) if words[0] == "exec"]
    assert len([at for at in asked if at < off]) > 3
    assert engine.boxes[LIVE].labels[LABEL_RELEASE] == "r1"


def test_a_start_that_fails_brings_the_former_one_back_without_a_gap(world: World) -> None:
    class Full(Engine):
        def _start(self, words: tuple[str, ...]) -> str:
            if words[-1] == LIVE:
                raise RuntimeError("no space left on device")
            return super()._start(words)

        _answers = {**Engine._answers, "start": _start}  # noqa: RUF012 - as in Engine

    engine = Full()
    other_release(engine)
    engine.behaviours[RELEASE_SPEC.image] = GOOD
    world(engine)
    with pytest.raises(ClassvmError, match="no space left on device"):
        deploy(engine)
    assert_served_still(engine, "r1")
    assert engine.led == ""


def test_the_other_way_needs_no_rules(world: World) -> None:
    engine = engine_in(other_release_without_nftables)
    world(engine)
    deploy(engine)
    assert "nft" not in engine.verbs()
