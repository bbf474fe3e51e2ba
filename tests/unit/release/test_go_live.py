"""The whole release transaction on an engine that lives in memory, cut off at every step."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from classvm.base import locks, names, state
from classvm.base.edge import BLUE_GREEN, LABEL_SLOT, RECREATE, Edge
from classvm.base.errors import ClassvmError
from classvm.contract import archive
from classvm.image.service_image import LABEL_RELEASE
from classvm.release import candidate, go_live, health, history, lifecycle, recover
from classvm.release.release_spec import ALWAYS, LABEL_SETTINGS, NEVER, ReleaseSpec, run_argv
from fake_engine import (
    BAD_AS_LIVE,
    BREAKS_CONTRACT,
    CHECK_HANGS,
    CRASHES,
    CRASHES_LATER,
    ENDLESS,
    GAP,
    GOOD,
    LAST,
    MAP_FILE,
    NEVER_HEALTHY,
    OLD,
    OTHER,
    PORT,
    RECORD_FILE,
    RELEASE_SPEC,
    RUN_FAILS,
    SECONDS,
    SLOTS,
    STATE_DIR,
    Behaviour,
    Cut,
    Engine,
    Killed,
    cuts,
    enter,
)

HISTORY = os.path.join(STATE_DIR, history.FILE)
KEEP = 5
World = Callable[[Engine], None]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Offer ``world(engine)``: clock, ports and files then belong to the model."""
    return lambda engine: enter(engine, monkeypatch)


def deploy(engine: Engine, spec: ReleaseSpec = RELEASE_SPEC) -> go_live.Outcome:
    return go_live.release(engine, spec, STATE_DIR, KEEP)


def lines(engine: Engine) -> list[dict[str, Any]]:
    return [json.loads(line) for line in engine.files.get(HISTORY, "").splitlines()]


# --- start states: what a release may find -------------------------------------------------


def nothing(engine: Engine) -> None:
    """Leave the host empty."""
    del engine


def same_release(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC)


def same_release_with_other_settings(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, dataclasses.replace(RELEASE_SPEC, memory="64m"))


def same_release_of_another_image(engine: Engine) -> None:
    """Leave what the image's name meant before it was built anew."""
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC, image=OLD.image)


def other_release(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, OLD)


def other_release_on_another_port(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, dataclasses.replace(OLD, host_port=PORT + 1))


def stopped(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, OLD, state="exited")


def crashed(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, OLD, state="exited", behaviour=CRASHES, restarts=3)


def crashing(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC, behaviour=CRASHES, restarts=3)


def candidate_left(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, OLD)
    engine.put(RELEASE_SPEC.candidate, OTHER, publish=("127.0.0.1", 32768))


def created_candidate_left(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.candidate, RELEASE_SPEC, publish=("127.0.0.1", 32768), state="created")


def previous_left_live_healthy(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, OTHER)
    engine.put(RELEASE_SPEC.previous, OLD, state="exited")


def previous_left_live_broken(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, OTHER, behaviour=NEVER_HEALTHY)
    engine.put(RELEASE_SPEC.previous, OLD, state="exited")


def previous_left_live_created(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC, state="created")
    engine.put(RELEASE_SPEC.previous, OLD, state="exited")


def previous_left_no_live(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.previous, OLD, state="exited")


def previous_left_running(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.previous, OLD)


def behind_the_edge(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, OLD, slot="blue")
    engine.put_edge(live="blue")


def same_release_behind_the_edge(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC, slot="green")
    engine.put_edge(live="green")


def edge_alone(engine: Engine) -> None:
    engine.put_edge()


def to_go_behind_the_edge(engine: Engine) -> None:
    """Leave a release that publishes the port itself, for which HAProxy waits."""
    engine.put(RELEASE_SPEC.live, OLD)
    engine.put_edge()


def to_leave_the_edge(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, OLD, slot="green")
    engine.put_edge(RECREATE, live="green")


def cut_off_before_the_edge_was_told(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.previous, OLD, slot="blue")
    engine.put(RELEASE_SPEC.live, OTHER, slot="green")
    engine.put_edge(live="blue")


def cut_off_with_a_broken_one_behind_the_edge(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.previous, OLD, slot="blue")
    engine.put(RELEASE_SPEC.live, OTHER, slot="green", behaviour=NEVER_HEALTHY)
    engine.put_edge(live="green")


def edge_led_astray(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, OLD, slot="blue")
    engine.put_edge(live="green")


Start = Callable[[Engine], None]

START_STATES: list[Start] = [
    nothing,
    same_release,
    same_release_with_other_settings,
    same_release_of_another_image,
    other_release,
    other_release_on_another_port,
    stopped,
    crashed,
    crashing,
    candidate_left,
    created_candidate_left,
    previous_left_live_healthy,
    previous_left_live_broken,
    previous_left_live_created,
    previous_left_no_live,
    previous_left_running,
    behind_the_edge,
    same_release_behind_the_edge,
    edge_alone,
    to_go_behind_the_edge,
    to_leave_the_edge,
    cut_off_before_the_edge_was_told,
    cut_off_with_a_broken_one_behind_the_edge,
    edge_led_astray,
]
# After these a healthy release serves, or served until a run was cut off.
SERVED: dict[Start, str] = {
    same_release_with_other_settings: "r2",
    same_release_of_another_image: "r2",
    other_release: "r1",
    other_release_on_another_port: "r1",
    candidate_left: "r1",
    previous_left_live_healthy: "r3",
    previous_left_live_broken: "r1",
    previous_left_live_created: "r1",
    previous_left_no_live: "r1",
    previous_left_running: "r1",
    behind_the_edge: "r1",
    to_go_behind_the_edge: "r1",
    to_leave_the_edge: "r1",
    cut_off_before_the_edge_was_told: "r3",
    cut_off_with_a_broken_one_behind_the_edge: "r1",
    edge_led_astray: "r1",
}
SAME = {same_release, same_release_behind_the_edge}
BEHIND_THE_EDGE = {
    behind_the_edge,
    edge_alone,
    to_go_behind_the_edge,
    cut_off_before_the_edge_was_told,
    cut_off_with_a_broken_one_behind_the_edge,
    edge_led_astray,
}
REFUSALS = {
    RUN_FAILS: "exec: no such file or directory",
    NEVER_HEALTHY: "it was not healthy within 2 s",
    CRASHES: "it ended with exit code 3",
    BREAKS_CONTRACT: "breaks its contract; the running release was not touched",
    BAD_AS_LIVE: "it was not healthy within 2 s",
    CHECK_HANGS: "it was not healthy within 2 s",
    ENDLESS: "breaks its contract; the running release was not touched",
    CRASHES_LATER: "it ended with exit code 3, shortly after it was healthy",
}
EACH_START = pytest.mark.parametrize("start", START_STATES)
ids_of_refusals = [
    "run fails",
    "never healthy",
    "crashes",
    "breaks contract",
    "bad as live",
    "check hangs",
    "endless",
    "crashes later",
]


def engine_in(start: Start, behaviour: Behaviour = GOOD) -> Engine:
    engine = Engine()
    engine.behaviours[RELEASE_SPEC.image] = behaviour
    start(engine)
    return engine


def strategy_of(engine: Engine) -> str:
    record = engine.files.get(RECORD_FILE)
    return str(json.loads(record)["strategy"]) if record else RECREATE


def assert_only_live(engine: Engine, spec: ReleaseSpec = RELEASE_SPEC) -> None:
    assert set(engine.boxes) == {spec.live}
    spec = dataclasses.replace(spec, strategy=strategy_of(engine))
    box = engine.boxes[spec.live]
    assert box.running
    assert box.healthy
    assert box.labels[LABEL_RELEASE] == spec.release
    assert box.labels[LABEL_SETTINGS] == spec.settings
    assert (box.image, box.restart) == (spec.image, ALWAYS)
    assert box.publish == whereabouts(engine, box.labels.get(LABEL_SLOT, ""), spec)
    assert engine.haproxy.listens is (spec.strategy == BLUE_GREEN)
    assert engine.serving() == spec.release


def whereabouts(engine: Engine, slot: str, spec: ReleaseSpec) -> tuple[str, int]:
    """Return where the live container is to be published."""
    if spec.strategy == BLUE_GREEN:
        assert engine.haproxy.map["live"] == slot
        assert f"live {slot}\n" in engine.files[MAP_FILE]
        return ("127.0.0.1", SLOTS[slot])
    return ("0.0.0.0", spec.host_port)


def left_over(engine: Engine) -> set[str]:
    """Return the files of the state folder but for those of the edge."""
    return set(engine.files) - {MAP_FILE, RECORD_FILE}


def assert_served_still(engine: Engine, served: str | None) -> None:
    """Whoever served healthily serves, and nobody else is there."""
    assert set(engine.boxes) <= {RELEASE_SPEC.live}
    if served:
        assert engine.boxes[RELEASE_SPEC.live].healthy
        assert engine.boxes[RELEASE_SPEC.live].labels[LABEL_RELEASE] == served
        assert engine.serving() == served


# --- the command line ------------------------------------------------------------------------


def test_run_words() -> None:
    spec = dataclasses.replace(RELEASE_SPEC, environment={"B": "2", "A": "1 3"})
    words = run_argv(spec, name="n", publish="11000:8080", labels={"y": "2", "x": "1"})
    assert " ".join(words) == (
        "--name n --publish 11000:8080 --restart unless-stopped --read-only"
        " --cap-drop ALL --security-opt no-new-privileges --pids-limit 128 --memory 512m"
        " --memory-swap 512m --tmpfs /tmp:rw,noexec,nosuid,nodev,size=64m --env HOST_PORT=11000"
        " --env A=1 3 --env B=2 --label x=1 --label y=2 classvm/lab:r2"
    )


def test_run_words_without_publishing() -> None:
    assert "--publish" not in run_argv(RELEASE_SPEC, name="n", publish="", labels={})


def test_names() -> None:
    names = (RELEASE_SPEC.live, RELEASE_SPEC.candidate, RELEASE_SPEC.previous)
    assert names == ("classvm-lab", "classvm-lab-candidate", "classvm-lab-previous")


@pytest.mark.parametrize(
    "change",
    [
        {"host_port": 1},
        {"container_port": 1},
        {"memory": "1m"},
        {"pids": 1},
        {"tmpfs_size": "1m"},
        {"environment": {"A": "1"}},
    ],
    ids=str,
)
def test_each_setting_counts(change: dict[str, Any]) -> None:
    assert dataclasses.replace(RELEASE_SPEC, **change).settings != RELEASE_SPEC.settings


@pytest.mark.parametrize("change", [{"health_timeout": 9}, {"contract": ""}], ids=str)
def test_what_does_not_change_how_it_runs_does_not_count(change: dict[str, Any]) -> None:
    assert dataclasses.replace(RELEASE_SPEC, **change).settings == RELEASE_SPEC.settings


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (["CMD", "a", "b"], ["a", "b"]),
        (["CMD-SHELL", "a | b"], ["/bin/sh", "-c", "a | b"]),
        (["NONE"], []),
        ([], []),
    ],
)
def test_health_words(test: list[str], words: list[str]) -> None:
    engine = Engine()
    engine.healthcheck = test
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC)
    live = engine.container(RELEASE_SPEC.live)
    assert live is not None
    assert health.words(live) == words


# --- the transaction -------------------------------------------------------------------------


@EACH_START
def test_a_good_release_becomes_live(start: Start, world: World) -> None:
    engine = engine_in(start)
    world(engine)
    outcome = deploy(engine)
    assert_only_live(engine)
    assert outcome.container == f"id-{RELEASE_SPEC.live}"
    assert outcome.changed == (start not in SAME)
    # And it stays as it is when it is asked for again.
    before = engine.state(), engine.files
    assert not deploy(engine).changed
    assert (engine.state(), engine.files) == before


EACH_FAULT = pytest.mark.parametrize(
    ("start", "behaviour"),
    [
        pytest.param(start, behaviour, id=f"{lifecycle.__name__}-{name}")
        for start in START_STATES
        for behaviour, name in zip(REFUSALS, ids_of_refusals, strict=True)
        # Behind the edge the container that was tried is the one that serves.
        if start not in SAME and not (start in BEHIND_THE_EDGE and behaviour is BAD_AS_LIVE)
    ],
)


@EACH_FAULT
def test_a_bad_release_is_refused(start: Start, behaviour: Behaviour, world: World) -> None:
    engine = engine_in(start, behaviour)
    world(engine)
    with pytest.raises(ClassvmError, match=REFUSALS[behaviour]) as refused:
        deploy(engine)
    assert "last words of classvm/lab:r2" in str(refused.value)
    assert_served_still(engine, SERVED.get(start))
    if start in {nothing, created_candidate_left, edge_alone}:
        assert engine.boxes == {}
    if behaviour is not BAD_AS_LIVE:
        assert [box.stops for box in engine.boxes.values()] in ([], [0])
    (line,) = lines(engine)
    assert line["result"] == "refused"
    assert str(refused.value).startswith(line["reason"])
    assert left_over(engine) == {HISTORY}
    # Repaired, it becomes live.
    engine.behaviours[RELEASE_SPEC.image] = GOOD
    deploy(engine)
    assert_only_live(engine)


def test_the_live_release_is_stopped_only_after_the_contract(world: World) -> None:
    engine = engine_in(other_release)
    world(engine)
    deploy(engine)
    journal = os.path.join(STATE_DIR, "swap-lab.json")
    assert [words[:3] for words in engine.calls if words[0] in (*engine.changes(), *FILES)] == [
        ("create", "--cpu-shares", "128"),
        ("start", RELEASE_SPEC.candidate),
        ("run", "--rm", "--interactive"),
        ("rm", "--force", RELEASE_SPEC.live + "-check"),
        ("create", "--cpu-shares", "1024"),
        ("write", journal),
        ("rename", RELEASE_SPEC.live, RELEASE_SPEC.previous),
        ("rename", RELEASE_SPEC.candidate, RELEASE_SPEC.live),
        ("stop", "-t", str(names.STOP_SECONDS)),
        ("start", RELEASE_SPEC.live),
        ("rm", RELEASE_SPEC.previous),
        ("append", HISTORY),
        ("unlink", journal),
    ]


FILES = ("append", "write", "unlink")


def test_what_is_tried_is_not_started_again(world: World) -> None:
    engine = engine_in(nothing)
    world(engine)
    deploy(engine)
    made = [words for words in engine.calls if words[0] == "create"]
    assert [words[words.index("--restart") + 1] for words in made] == [NEVER, ALWAYS]
    assert [words[words.index("--cpu-shares") + 1] for words in made] == ["128", "1024"]


def test_what_is_live_behind_the_edge_has_what_one_needs_that_serves(world: World) -> None:
    engine = engine_in(nothing)
    engine.put_edge()
    world(engine)
    deploy(engine)
    promoted = ("update", "--restart", ALWAYS, "--cpu-shares", "1024", RELEASE_SPEC.candidate)
    assert [words for words in engine.calls if words[0] == "update"] == [promoted]


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


@pytest.mark.parametrize(("before", "waits"), [(other_release, True), (behind_the_edge, False)])
def test_the_stop_is_watched_only_where_clients_wait_for_it(
    world: World, before: Callable[[Engine], None], *, waits: bool
) -> None:
    # Who asks every 10 ms takes time from those who wait.
    engine = engine_in(before)
    world(engine)
    deploy(engine)
    assert "stop" in [words[0] for words in engine.calls]
    assert ("stop" in [words[0] for words in engine.watched]) == waits
    assert "rm" not in [words[0] for words in engine.watched]


def test_the_candidate_is_invisible_from_outside(world: World) -> None:
    engine = engine_in(nothing)
    world(engine)
    deploy(engine)
    made = [words for words in engine.calls if words[0] == "create"]
    publishes = [words[words.index("--publish") + 1] for words in made]
    assert publishes == ["127.0.0.1::8080", "11000:8080"]


def test_what_is_live_already_is_left_alone(world: World) -> None:
    engine = engine_in(nothing)
    world(engine)
    deploy(engine)
    engine.revive()
    outcome = deploy(engine)
    assert outcome == go_live.Outcome(
        changed=False, release="r2", container=f"id-{RELEASE_SPEC.live}", replaced="r2"
    )
    assert engine.changes() == []
    assert len(lines(engine)) == 1


def test_an_image_that_is_not_here_is_refused_before_anything_is_touched(world: World) -> None:
    engine = engine_in(other_release)
    del engine.behaviours[RELEASE_SPEC.image]
    world(engine)
    with pytest.raises(ClassvmError, match="is not on this host; `make deploy` builds it"):
        deploy(engine)
    assert engine.boxes[RELEASE_SPEC.live].stops == 0
    assert [line["result"] for line in lines(engine)] == ["refused"]


@pytest.mark.parametrize("start", [nothing, stopped, other_release_on_another_port])
def test_a_port_that_a_container_holds_is_named(start: Start, world: World) -> None:
    engine = engine_in(start)
    engine.put("somebody", OTHER)
    before = engine.state()
    world(engine)
    with pytest.raises(ClassvmError, match="Port 11000 is busy: the container somebody publishes"):
        deploy(engine)
    assert engine.state() == before
    del engine.boxes["somebody"]
    deploy(engine)
    assert_only_live(engine)


@pytest.mark.parametrize("start", [nothing, stopped, other_release_on_another_port])
def test_a_port_that_a_process_holds_is_named(start: Start, world: World) -> None:
    engine = engine_in(start)
    engine.process_ports.add(PORT)
    before = engine.state()
    world(engine)
    with pytest.raises(ClassvmError, match=r"Port 11000 is busy: python3 \(process 4711\) listens"):
        deploy(engine)
    assert engine.state() == before
    engine.process_ports.clear()
    deploy(engine)
    assert_only_live(engine)


def test_the_port_that_the_live_release_holds_is_not_busy(world: World) -> None:
    engine = engine_in(other_release)
    engine.process_ports.add(PORT + 1)
    world(engine)
    deploy(engine)
    assert ("ps", "--filter", f"publish={PORT}/tcp") not in [words[:3] for words in engine.calls]


def test_a_port_that_haproxy_does_not_show_is_refused(world: World) -> None:
    engine = engine_in(behind_the_edge)
    world(engine)
    with pytest.raises(ClassvmError, match=r"on port 11000, not 11009: .*make provision"):
        deploy(engine, dataclasses.replace(RELEASE_SPEC, host_port=11009))
    assert_served_still(engine, "r1")


class Thief(Engine):
    """An engine on whose host a process takes the port as soon as the swap has stopped the old."""

    def _stop(self, words: tuple[str, ...]) -> str:
        self.process_ports.add(PORT)
        return super()._stop(words)

    _answers: ClassVar = {**Engine._answers, "stop": _stop}


def test_a_port_taken_meanwhile_brings_the_old_release_back(world: World) -> None:
    engine = Thief()
    other_release_on_another_port(engine)
    world(engine)
    with pytest.raises(ClassvmError, match="port is already allocated"):
        deploy(engine)
    assert_served_still(engine, "r1")


def test_an_old_release_whose_port_was_taken_is_kept_and_told(world: World) -> None:
    engine = Thief()
    other_release(engine)
    world(engine)
    with pytest.raises(ClassvmError, match="Release r2 was refused: ") as told:
        deploy(engine)
    assert "The former release does not start again, either" in str(told.value)
    assert set(engine.boxes) == {RELEASE_SPEC.live}
    assert engine.boxes[RELEASE_SPEC.live].labels[LABEL_RELEASE] == "r1"
    # The next run names who holds the port; another port helps, too.
    with pytest.raises(ClassvmError, match=r"Port 11000 is busy: python3 \(process 4711\)"):
        deploy(engine)
    elsewhere = dataclasses.replace(RELEASE_SPEC, host_port=PORT + 1)
    deploy(engine, elsewhere)
    assert_only_live(engine, elsewhere)


class Clinging(Engine):
    """An engine that does not remove the release that served while its storage is busy."""

    busy = True

    def _rm(self, words: tuple[str, ...]) -> str:
        if self.busy and RELEASE_SPEC.previous in words:
            raise RuntimeError("device or resource busy")
        return super()._rm(words)

    _answers: ClassVar = {**Engine._answers, "rm": _rm}


@pytest.mark.parametrize("situation", [other_release, behind_the_edge])
def test_a_release_is_live_though_the_former_one_does_not_go(
    situation: Callable[[Engine], None], world: World
) -> None:
    engine = Clinging()
    situation(engine)
    world(engine)
    with pytest.raises(ClassvmError, match=r"(?s)r2 is live, .*resource busy.*`make deploy`"):
        deploy(engine)
    assert engine.serving() == "r2"
    last = history.read(STATE_DIR, RELEASE_SPEC.service)[-1]
    assert (last.release, last.result) == ("r2", history.LIVE)
    # The next run removes it.
    engine.busy = False
    assert not deploy(engine).changed
    assert_only_live(engine)


def test_a_cut_off_swap_does_not_block_another_port(world: World) -> None:
    engine = engine_in(previous_left_no_live)
    engine.process_ports.add(PORT)
    world(engine)
    elsewhere = dataclasses.replace(RELEASE_SPEC, host_port=PORT + 1)
    deploy(engine, elsewhere)
    assert_only_live(engine, elsewhere)


def test_no_contract_means_no_check(world: World) -> None:
    engine = engine_in(nothing, BREAKS_CONTRACT)
    world(engine)
    deploy(engine, dataclasses.replace(RELEASE_SPEC, contract=""))
    assert engine.boxes[RELEASE_SPEC.live].healthy


def test_the_contract_check_runs_in_the_candidates_network() -> None:
    engine = engine_in(nothing)
    engine.put(RELEASE_SPEC.candidate, RELEASE_SPEC)
    candidate.require_contract(engine, RELEASE_SPEC)
    words = list(engine.calls[0])
    assert words.pop(words.index("-c") + 1) == archive.program()
    assert " ".join(words) == (
        "run --rm --interactive --name classvm-lab-check --label classvm.service=lab"
        " --read-only --cap-drop ALL --cpu-shares 128 --tmpfs /run/contract"
        " --network container:classvm-lab-candidate --entrypoint python3 classvm/lab:r2"
        " -c --spec /dev/stdin --url http://127.0.0.1:8080"
    )


def test_a_contract_check_that_does_not_end_is_told_and_removed(world: World) -> None:
    engine = engine_in(other_release, ENDLESS)
    world(engine)
    with pytest.raises(ClassvmError, match=f"longer than {candidate.CONTRACT_SECONDS} s"):
        deploy(engine)
    assert set(engine.boxes) == {RELEASE_SPEC.live}


def test_an_image_without_a_health_check_is_asked_whether_it_runs(world: World) -> None:
    engine = engine_in(nothing)
    engine.healthcheck = []
    world(engine)
    deploy(engine)
    assert ("exec", RELEASE_SPEC.live, "true") in engine.calls


def test_a_container_that_vanishes_is_refused() -> None:
    assert health.ended(engine_in(nothing), RELEASE_SPEC.live) == "it is gone"


def test_a_live_release_whose_check_hangs_is_replaced(world: World) -> None:
    engine = engine_in(nothing)
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC, behaviour=CHECK_HANGS)
    world(engine)
    assert deploy(engine).changed
    assert_only_live(engine)
    assert engine.clock.now < (health.TRIES + 1) * health.PROBE_SECONDS


def is_live(engine: Engine) -> bool:
    return go_live.is_live(
        engine, RELEASE_SPEC, engine.container(RELEASE_SPEC.live), engine.image(RELEASE_SPEC.image)
    )


@pytest.mark.parametrize(("slow", "healthy"), [(0, True), (2, True), (3, False)])
def test_a_slow_moment_is_no_illness(world: World, slow: int, *, healthy: bool) -> None:
    engine = engine_in(nothing)
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC, behaviour=Behaviour(healthy_after=slow), probes=0)
    world(engine)
    assert is_live(engine) is healthy


def test_a_full_disk_stops_everything(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_in(other_release)
    world(engine)
    monkeypatch.setattr(go_live, "SPACE_MEGABYTES", 1 << 40)
    with pytest.raises(ClassvmError, match="Disk full"):
        deploy(engine)
    with pytest.raises(ClassvmError, match="Disk full"):
        go_live.go_back(engine, asked("previous"), STATE_DIR)
    assert engine.calls == []


@pytest.mark.parametrize("start", [nothing, stopped, crashed, crashing, other_release])
def test_is_live_tells_no(world: World, start: Start) -> None:
    engine = engine_in(start)
    world(engine)
    assert not is_live(engine)


def test_is_live_tells_yes_and_changes_nothing() -> None:
    engine = engine_in(same_release)
    assert is_live(engine)
    assert engine.changes() == []


# --- what the history says -------------------------------------------------------------------


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
    }
    assert (second["release"], second["replaced"], second["gap"]) == ("r3", "r2", GAP)
    assert [outcome.gap for outcome in outcomes] == [None, None, GAP]
    assert [outcome.seconds for outcome in outcomes] == [SECONDS, 0.0, SECONDS]


def test_a_refusal_during_the_swap_tells_the_gap(world: World) -> None:
    engine = engine_in(other_release, BAD_AS_LIVE)
    world(engine)
    with pytest.raises(ClassvmError, match="was refused"):
        deploy(engine)
    (line,) = lines(engine)
    assert (line["result"], line["gap"], line["seconds"]) == ("refused", GAP, SECONDS)


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


# --- going back ------------------------------------------------------------------------------


def asked(name: str, **changes: Any) -> ReleaseSpec:
    """Return the spec of `make rollback`: how, but not yet what."""
    return dataclasses.replace(
        RELEASE_SPEC, release=name, image="", contract="", revision="", **changes
    )


def back(engine: Engine, name: str = "previous") -> go_live.Outcome:
    return go_live.go_back(engine, asked(name), STATE_DIR)


@pytest.fixture
def three(world: World) -> Engine:
    """Return an engine on which r1, r2 and r3 were released."""
    engine = Engine()
    world(engine)
    for spec in (OLD, RELEASE_SPEC, OTHER):
        deploy(engine, spec)
    engine.revive()
    return engine


def test_going_back_takes_the_release_before(three: Engine) -> None:
    outcome = back(three)
    assert outcome == go_live.Outcome(
        changed=True,
        release="r2",
        container=f"id-{RELEASE_SPEC.live}",
        replaced="r3",
        gap=GAP,
        seconds=SECONDS,
    )
    assert_only_live(three)
    last = lines(three)[-1]
    assert (last["release"], last["result"], last["revision"]) == ("r2", "rolled back", "abc1234")


def test_going_back_does_not_try_again_what_was_good(three: Engine) -> None:
    back(three)
    assert [words for words in three.calls if words[0] == "start"] == [("start", RELEASE_SPEC.live)]


def test_going_back_twice_leads_to_where_one_was(three: Engine) -> None:
    assert [back(three).release for _ in range(4)] == ["r2", "r3", "r2", "r3"]


def test_going_back_to_a_named_release(three: Engine) -> None:
    assert back(three, "r1").release == "r1"
    assert back(three).release == "r3"


def test_going_back_to_what_is_live_changes_nothing(three: Engine) -> None:
    before = three.state(), dict(three.files)
    assert not back(three, "r3").changed
    assert (three.state(), three.files) == before


def test_going_back_starts_the_named_one_when_it_is_stopped(three: Engine) -> None:
    lifecycle.stop(three, "lab", STATE_DIR)
    assert back(three, "r3").changed
    assert three.serving() == "r3"


def test_going_back_when_the_live_container_was_removed(three: Engine) -> None:
    three.boxes.clear()
    assert back(three).release == "r3"


def test_a_release_that_is_not_good_any_more_is_undone(three: Engine) -> None:
    three.behaviours[RELEASE_SPEC.image] = CRASHES
    with pytest.raises(ClassvmError, match="Release r2 was refused: it ended"):
        back(three)
    assert three.serving() == "r3"
    assert set(three.boxes) == {RELEASE_SPEC.live}
    assert lines(three)[-1]["result"] == "refused"


def test_a_dry_run_tells_which_release_it_would_be(three: Engine) -> None:
    before = three.state(), dict(three.files)
    shown = go_live.preview(three, asked("previous"), STATE_DIR)
    assert shown == go_live.Outcome(changed=True, release="r2", container="", replaced="r3")
    assert (three.state(), three.files) == before
    assert not go_live.preview(three, asked("r3"), STATE_DIR).changed
    assert not go_live.preview(three, OTHER, STATE_DIR).changed


def test_the_difference_is_to_the_release_that_one_goes_back_to(three: Engine) -> None:
    shown = go_live.compare(three, asked("previous"), STATE_DIR, "")
    assert (shown["before"].splitlines()[0], shown["after"].splitlines()[0]) == (
        "release r3",
        "release r2",
    )


# --- what a deploy removes -------------------------------------------------------------------


def many(engine: Engine, count: int) -> list[ReleaseSpec]:
    """Have further images there."""
    names = [f"n{number}" for number in range(count)]
    specs = [dataclasses.replace(RELEASE_SPEC, release=n, image=f"classvm/lab:{n}") for n in names]
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
    assert back(three).removed == ()
    assert ("image", "rm") not in [words[:2] for words in three.calls]


# --- cut off at every call -------------------------------------------------------------------


@EACH_START
@pytest.mark.parametrize("by", [Killed, KeyboardInterrupt])
@pytest.mark.parametrize(
    "behaviour", [GOOD, BREAKS_CONTRACT, BAD_AS_LIVE], ids=["good", "refused", "refused as live"]
)
def test_a_run_cut_off_anywhere_is_finished_by_the_next(
    start: Start, by: type[BaseException], behaviour: Behaviour, world: World
) -> None:
    engine = engine_in(start, behaviour)
    world(engine)
    with contextlib.suppress(ClassvmError):
        deploy(engine)
    assert "exec" in engine.verbs()
    seen: set[str] = set()
    for cut in cuts(engine.calls, by):
        engine = engine_in(start, behaviour)
        engine.cut = cut
        world(engine)
        with pytest.raises(by):
            deploy(engine)
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


@pytest.mark.parametrize("by", [KeyboardInterrupt, SystemExit])
def test_an_interruption_leaves_the_old_release_serving(
    by: type[BaseException], world: World
) -> None:
    """Not only the next run: already the interrupted one puts back what it moved."""
    engine = engine_in(other_release)
    world(engine)
    deploy(engine)
    for cut in cuts(engine.calls, by):
        engine = engine_in(other_release)
        engine.cut = cut
        world(engine)
        with pytest.raises(by):
            deploy(engine)
        serving = [box for box in engine.boxes.values() if box.running and box.outside]
        assert len(serving) == 1, cut
        assert serving[0].healthy, cut


Work = Callable[[Engine], object]


@pytest.mark.parametrize(
    "work",
    [
        back,
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


# --- with a real state folder ----------------------------------------------------------------


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Offer a folder in which the transaction really writes; only the engine is a model."""
    kept = {name: getattr(state, name) for name in ("read", "append", "remove", "write_atomically")}
    held = locks.held
    enter(Engine(), monkeypatch)
    for name, function in kept.items():
        monkeypatch.setattr(state, name, function)
    monkeypatch.setattr(locks, "held", held)
    return str(tmp_path)


def test_the_group_may_write_the_files_of_the_state_folder(real: str) -> None:
    engine = Engine()
    for spec in (OLD, RELEASE_SPEC):
        go_live.release(engine, spec, real, KEEP)
    assert {file.name for file in os.scandir(real)} == {"lock", history.FILE}
    assert {file.stat().st_mode & 0o777 for file in os.scandir(real)} == {0o664}
    assert [one.release for one in history.read(real, "lab")] == ["r1", "r2"]


def test_a_run_that_is_refused_frees_the_lock(real: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "SECONDS", 0)
    engine = engine_in(nothing, BREAKS_CONTRACT)
    for _ in range(2):
        with pytest.raises(ClassvmError, match="breaks its contract"):
            go_live.release(engine, RELEASE_SPEC, real, KEEP)


def test_a_host_that_was_never_provisioned_is_told_what_to_do(tmp_path: Path) -> None:
    engine = engine_in(other_release)
    with pytest.raises(ClassvmError, match="make provision"):
        go_live.release(engine, RELEASE_SPEC, str(tmp_path / "absent"), KEEP)
    assert engine.calls == []
