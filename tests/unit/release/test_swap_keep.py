"""Folders that survive releases, and apps that the contract check may have altered."""

from __future__ import annotations

import dataclasses
import json

import pytest
from classvm.base.errors import ClassvmError
from classvm.image.image_labels import LABEL_APP, LABEL_KEEP, LABEL_PORT
from classvm.release import go_live
from classvm.release.release_spec import ReleaseSpec
from fake_engine import (
    BREAKS_CONTRACT,
    GOOD,
    LAST,
    OLD,
    OTHER,
    RELEASE_SPEC,
    REPORT,
    STATE_DIR,
    Behaviour,
    Engine,
    Killed,
    cuts,
)
from start_states import (
    Start,
    World,
    assert_only_live,
    behind_the_edge,
    deploy,
    edge_alone,
    engine_in,
    nothing,
    other_release,
    roll_back,
)

MOUNT = "type=volume,src=classvm-lab-keep-data,dst=/service/data"
REPORTED = {"Type": "volume", "Source": "classvm-lab-keep-data", "Target": "/service/data"}
GATE = Behaviour(report={**REPORT, "mode": "gate"})
EACH = pytest.mark.parametrize("start", [nothing, other_release, edge_alone, behind_the_edge])


def keeping(start: Start, behaviour: Behaviour = GOOD) -> Engine:
    """Return an engine on which the image of the desired release keeps a folder."""
    engine = engine_in(start, behaviour)
    engine.image_labels[RELEASE_SPEC.image] = {LABEL_KEEP: json.dumps(["/service/data"])}
    return engine


def created(engine: Engine) -> list[bool]:
    """Return of each container that was created whether it has the volume."""
    return [MOUNT in words for words in engine.calls if words[0] == "create"]


@EACH
def test_the_live_container_has_the_volume_and_the_candidate_never(
    start: Start, world: World
) -> None:
    engine = keeping(start)
    world(engine)
    assert deploy(engine).changed
    # Without a gap, the candidate that serves meanwhile is one more.
    serving = [True] if engine.led_to else []
    assert created(engine) == [False, *serving, True]
    assert engine.boxes[RELEASE_SPEC.live].mounts == [REPORTED]
    check = engine.verbs().index("run")
    assert engine.verbs()[:check].count("create") == 1
    assert not deploy(engine).changed


@EACH
def test_a_refused_candidate_leaves_the_volume_alone(start: Start, world: World) -> None:
    engine = keeping(start, BREAKS_CONTRACT)
    world(engine)
    with pytest.raises(ClassvmError):
        deploy(engine)
    assert created(engine) == [False]


@pytest.mark.parametrize(
    ("behaviour", "times"), [(GOOD, 1), (GATE, 2)], ids=["a strict app", "any app"]
)
def test_what_the_check_may_have_altered_is_made_anew_before_it_is_live(
    behaviour: Behaviour, times: int, world: World
) -> None:
    engine = engine_in(behind_the_edge, behaviour)
    world(engine)
    deploy(engine)
    assert_only_live(engine)
    assert len(created(engine)) == times
    removed = [words for words in engine.calls if words[0] == "rm"]
    assert removed
    assert all("--volumes" in words for words in removed)


def test_a_rollback_needs_nothing_but_the_image(world: World) -> None:
    engine = keeping(nothing)
    world(engine)
    deploy(engine)
    deploy(engine, OTHER)
    assert engine.boxes[RELEASE_SPEC.live].mounts == []
    roll_back(engine)
    assert engine.boxes[RELEASE_SPEC.live].mounts == [REPORTED]


def test_another_folder_is_another_setting() -> None:
    kept = dataclasses.replace(RELEASE_SPEC, keep=("/service/data",))
    assert kept.settings != RELEASE_SPEC.settings
    assert kept.without_keep == RELEASE_SPEC


def test_the_difference_names_the_folder(world: World) -> None:
    engine = keeping(other_release)
    world(engine)
    found = go_live.compare(engine, RELEASE_SPEC, STATE_DIR, "", rolled_back=False)
    line = "keep /service/data: classvm-lab-keep-data\n"
    assert line in found["after"]
    assert line not in found["before"]


def test_a_dry_run_finds_what_is_live_unchanged(world: World) -> None:
    engine = keeping(nothing)
    world(engine)
    deploy(engine)
    assert not go_live.preview(engine, RELEASE_SPEC, STATE_DIR, rolled_back=False).changed


@EACH
def test_wherever_it_is_cut_off_the_next_deploy_is_right(start: Start, world: World) -> None:
    engine = keeping(start, GATE)
    world(engine)
    deploy(engine)
    for cut in cuts(engine.calls, Killed):
        again = keeping(start, GATE)
        world(again)
        again.cut = cut
        with pytest.raises(Killed):
            deploy(again)
        again.revive()
        deploy(again)
        assert_only_live(again, dataclasses.replace(RELEASE_SPEC, keep=("/service/data",)))
        assert again.boxes[RELEASE_SPEC.live].mounts == [REPORTED]


def test_the_image_names_the_port_of_its_container(world: World) -> None:
    engine = engine_in(nothing)
    engine.image_labels[RELEASE_SPEC.image] = {LABEL_PORT: "5000"}
    world(engine)
    deploy(engine)
    words = [word for call in engine.calls for word in call]
    assert [word for word in words if word.endswith(":5000")]
    assert not [word for word in words if word.endswith(f":{RELEASE_SPEC.container_port}")]


def app(engine: Engine, release: ReleaseSpec, name: str) -> list[str]:
    """Deploy a release of an app that keeps a folder, and return what the person is told."""
    labels = {LABEL_KEEP: json.dumps(["/service/data"]), LABEL_APP: name}
    engine.image_labels[release.image] = labels
    return deploy(engine, release).classvm_notes


@pytest.mark.parametrize("start", [nothing, edge_alone])
def test_another_app_s_data_is_said_once(start: Start, world: World) -> None:
    engine = engine_in(start)
    world(engine)
    assert app(engine, OLD, "weather") == []
    assert engine.volumes == {"classvm-lab-keep-data": {LABEL_APP: "weather"}}
    (told,) = app(engine, RELEASE_SPEC, "notes")
    assert told.startswith("/service/data still holds what the app weather has kept")
    assert app(engine, OTHER, "notes") == []
    # Back again: the app that is live now has written there last.
    (told,) = app(engine, LAST, "weather")
    assert "the app notes has kept" in told


def test_the_data_of_an_app_that_was_removed_is_said(world: World) -> None:
    """As after `make reset`."""
    engine = engine_in(nothing)
    world(engine)
    engine.volumes["classvm-lab-keep-data"] = {LABEL_APP: "weather"}
    (told,) = app(engine, RELEASE_SPEC, "notes")
    assert "the app weather has kept" in told


@pytest.mark.parametrize("labels", [{}, {LABEL_APP: "notes"}])
def test_of_the_same_app_or_an_unknown_one_nothing_is_said(
    labels: dict[str, str], world: World
) -> None:
    engine = engine_in(nothing)
    world(engine)
    engine.volumes["classvm-lab-keep-data"] = labels
    assert app(engine, RELEASE_SPEC, "notes") == []
