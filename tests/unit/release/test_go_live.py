"""A deploy from every state of a host: a good release becomes live, a bad one is refused."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest
from classvm.base import host, locks, state
from classvm.base.edge import Edge
from classvm.base.errors import ClassvmError
from classvm.release import go_live, health, history
from fake_engine import (
    BAD_AS_LIVE,
    BREAKS_CONTRACT,
    CHECK_HANGS,
    CRASHES,
    CRASHES_LATER,
    ENDLESS,
    FIRST,
    GOOD,
    MAP_FILE,
    NEVER_HEALTHY,
    OLD,
    OTHER,
    PORT,
    RELEASE_SPEC,
    RUN_FAILS,
    STATE_DIR,
    Behaviour,
    Engine,
    enter,
)
from start_states import (
    BEHIND_THE_EDGE,
    EACH_START,
    EDGE_ONLY,
    HISTORY,
    KEEP,
    SAME,
    SERVED,
    START_STATES,
    Start,
    World,
    assert_only_live,
    assert_served_still,
    behind_the_edge,
    crashed,
    crashing,
    created_candidate_left,
    deploy,
    edge_alone,
    edge_map_leads_elsewhere,
    edge_stopped,
    engine_in,
    left_over,
    lines,
    nothing,
    other_release,
    other_release_on_another_port,
    requested,
    same_release,
    same_release_behind_the_edge,
    stopped,
)

REFUSALS = {
    RUN_FAILS: "exec: no such file or directory",
    NEVER_HEALTHY: "it was not healthy within 2 s",
    CRASHES: "it ended with exit code 3",
    BREAKS_CONTRACT: f"Release r2 breaks its contract: {FIRST}",
    BAD_AS_LIVE: "it was not healthy within 2 s",
    CHECK_HANGS: "it was not healthy within 2 s",
    ENDLESS: "Release r2 breaks its contract: its answers took longer than 120 s",
    CRASHES_LATER: "it ended with exit code 3, shortly after it was healthy",
}


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


@EACH_START
def test_a_good_release_becomes_live(start: Start, world: World) -> None:
    engine = engine_in(start)
    world(engine)
    outcome = deploy(engine)
    assert_only_live(engine)
    assert outcome.container == f"id-{RELEASE_SPEC.live}"
    assert outcome.changed == (start not in SAME)
    # And it stays as it is when it is asked for again.
    before = engine.state(), dict(engine.files)
    assert not deploy(engine).changed
    assert (engine.state(), engine.files) == before


EACH_FAULT = pytest.mark.parametrize(
    ("start", "behaviour"),
    [
        pytest.param(start, behaviour, id=f"{start.__name__}-{name}")
        for start in START_STATES
        for behaviour, name in zip(REFUSALS, ids_of_refusals, strict=True)
        # Behind the edge, the candidate itself becomes the live container.
        if start not in SAME | EDGE_ONLY
        and not (start in BEHIND_THE_EDGE and behaviour is BAD_AS_LIVE)
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
    with pytest.raises(
        ClassvmError,
        match="is not on this host; another deploy may have removed it",
    ):
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
    with pytest.raises(
        ClassvmError, match=r"on port 11000, not 11009. .*make provision PORT=11009"
    ):
        deploy(engine, dataclasses.replace(RELEASE_SPEC, host_port=11009))
    assert_served_still(engine, "r1")


def test_a_live_release_whose_check_hangs_is_replaced(world: World) -> None:
    engine = engine_in(nothing)
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC, behaviour=CHECK_HANGS)
    world(engine)
    assert deploy(engine).changed
    assert_only_live(engine)
    assert engine.clock.now < (health.TRIES + 1) * health.PROBE_SECONDS


def is_live(engine: Engine) -> bool:
    return go_live.is_live(
        engine,
        RELEASE_SPEC,
        Edge.load(STATE_DIR),
        engine.container(RELEASE_SPEC.live),
        engine.image(RELEASE_SPEC.image),
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
        go_live.roll_back(engine, requested("previous"), STATE_DIR)
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
    assert {file.stat().st_mode & 0o777 for file in os.scandir(real)} == {0o660}
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


# --- what an attempt needs -------------------------------------------------------------------


def test_secrets_reach_the_container_and_no_argument(world: World) -> None:
    engine = engine_in(nothing)
    world(engine)
    spec = dataclasses.replace(RELEASE_SPEC, environment={"TOKEN": "a-secret"})
    deploy(engine, spec)
    assert not any("a-secret" in word for words in engine.calls for word in words)
    assert engine.boxes[spec.live].environment == b"HOST_PORT=11000\nTOKEN=a-secret\n"
    assert not deploy(engine, spec).changed
    assert deploy(engine, dataclasses.replace(spec, environment={"TOKEN": "another"})).changed


def test_a_second_service_is_refused_before_anything_is_touched(world: World) -> None:
    engine = engine_in(other_release)
    engine.files[os.path.join(STATE_DIR, host.CHOICES)] = json.dumps(
        {"guarded": True, "open_tcp": [PORT, PORT + 1]}
    )
    before = engine.state()
    world(engine)
    second = dataclasses.replace(RELEASE_SPEC, service="svc2", host_port=PORT + 1)
    engine.behaviours[second.image] = GOOD
    with pytest.raises(
        ClassvmError, match="has the service lab already, and its guard is open for one"
    ):
        deploy(engine, second)
    assert engine.state() == before


def test_nothing_goes_live_after_the_control_node_has_gone(world: World) -> None:
    engine = engine_in(other_release)
    world(engine)
    engine.client_has_gone = True
    with pytest.raises(ClassvmError, match="the swap did not begin"):
        deploy(engine)
    assert_served_still(engine, "r1")
    (line,) = lines(engine)
    assert line["result"] == "refused"
    assert line["reason"].startswith("Interrupted: the control node has ended its connection")


def test_a_port_that_the_guard_keeps_closed_is_refused(world: World) -> None:
    engine = engine_in(other_release)
    engine.files[os.path.join(STATE_DIR, host.CHOICES)] = json.dumps(
        {"guarded": True, "open_tcp": [PORT]}
    )
    world(engine)
    with pytest.raises(ClassvmError, match="Port 12345 is closed: this host's guard opens 11000"):
        deploy(engine, dataclasses.replace(RELEASE_SPEC, host_port=12345))
    assert engine.serving() == "r1"
    assert deploy(engine).changed


def test_a_history_that_cannot_be_read_stops_everything(world: World) -> None:
    engine = engine_in(other_release)
    world(engine)

    def refuse(path: str) -> str:
        raise ClassvmError(f"{path} is a folder")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state, "read", refuse)
        with pytest.raises(ClassvmError, match=r"releases.jsonl is a folder"):
            deploy(engine)
    assert engine.changes() == []


def test_a_release_that_is_live_is_called_so_though_its_line_is_missing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_in(other_release)
    world(engine)

    def full(*_: object) -> None:
        raise ClassvmError("releases.jsonl cannot be written (No space left on device)")

    monkeypatch.setattr(state, "append", full)
    with pytest.raises(ClassvmError, match=r"^Release r2 is live, but the history does not show"):
        deploy(engine)
    assert engine.serving() == "r2"


@pytest.mark.parametrize("dry", [False, True])
@pytest.mark.parametrize(("value", "said"), [("on", "503"), ("off", "")])
def test_who_releases_in_maintenance_is_told(
    dry: bool, value: str, said: str, world: World
) -> None:
    engine = engine_in(same_release_behind_the_edge)
    world(engine)
    shown = engine.files[MAP_FILE]
    engine.files[MAP_FILE] = shown.replace("maintenance off", f"maintenance {value}")
    outcome = (
        go_live.preview(engine, RELEASE_SPEC, STATE_DIR, rolled_back=False)
        if dry
        else deploy(engine)
    )
    assert (said in outcome.maintenance_note, bool(outcome.maintenance_note)) == (True, bool(said))


@pytest.mark.parametrize("start", [edge_stopped, edge_map_leads_elsewhere])
def test_a_repair_of_the_edge_is_a_change_that_costs_no_swap(start: Start, world: World) -> None:
    engine = engine_in(start)
    world(engine)
    outcome = deploy(engine)
    assert (outcome.changed, outcome.gap, engine.changes()) == (True, None, [])
    assert engine.serving() == "r2"


def test_a_stopped_edge_that_this_account_may_not_start_is_told(world: World) -> None:
    engine = engine_in(edge_stopped)
    engine.may_start_haproxy = False
    world(engine)
    with pytest.raises(ClassvmError, match="HAProxy is stopped"):
        deploy(engine)


def test_a_deploy_that_changes_nothing_asks_the_engine_four_times(world: World) -> None:
    """Each call takes 30 ms or more on a host."""
    engine = engine_in(same_release)
    world(engine)
    deploy(engine)
    engine.revive()
    deploy(engine)
    assert [words[:2] for words in engine.calls] == [
        ("container", "inspect"),
        ("image", "inspect"),
        ("exec", RELEASE_SPEC.live),
        ("info", "--format"),
    ]
