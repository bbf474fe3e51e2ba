"""The states in which a deploy may find a host, and what has to be true afterwards."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from classvm.base.edge import BLUE_GREEN, LABEL_SLOT, RECREATE
from classvm.image.image_labels import LABEL_RELEASE
from classvm.release import go_live, history
from classvm.release.redirect import NO_NFTABLES
from classvm.release.release_spec import ALWAYS, LABEL_SETTINGS, LIVE_CPU_SHARES, ReleaseSpec
from fake_engine import (
    CRASHES,
    GOOD,
    MAP_FILE,
    NEVER_HEALTHY,
    OLD,
    OTHER,
    PORT,
    RECORD_FILE,
    RELEASE_SPEC,
    SLOTS,
    STATE_DIR,
    Behaviour,
    Engine,
)

HISTORY = os.path.join(STATE_DIR, history.FILE)


KEEP = 5


World = Callable[[Engine], None]


def deploy(engine: Engine, spec: ReleaseSpec = RELEASE_SPEC) -> go_live.Outcome:
    return go_live.release(engine, spec, STATE_DIR, KEEP)


def lines(engine: Engine) -> list[dict[str, Any]]:
    return [json.loads(line) for line in engine.files.get(HISTORY, "").splitlines()]


def nothing(engine: Engine) -> None:
    """Leave the host empty."""
    del engine


def same_release(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC)


def same_release_with_other_settings(engine: Engine) -> None:
    engine.put(
        RELEASE_SPEC.live,
        dataclasses.replace(RELEASE_SPEC, limits={**RELEASE_SPEC.limits, "memory": "64m"}),
    )


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


def other_release_without_nftables(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, OLD)
    engine.obstacle = NO_NFTABLES


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


def to_leave_the_edge_without_nftables(engine: Engine) -> None:
    to_leave_the_edge(engine)
    engine.obstacle = NO_NFTABLES


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


# The desired release is live, but not as desired: harm that an admin or a student did by hand.


def detached_from_its_network(engine: Engine) -> None:
    """Leave what `docker network disconnect bridge` does."""
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC, networks=())


def smaller_limits(engine: Engine) -> None:
    """Leave what `docker update --memory 96m --pids-limit 20` does."""
    box = engine.put(RELEASE_SPEC.live, RELEASE_SPEC)
    box.limits = {**box.limits, "Memory": 96 << 20, "PidsLimit": 20}


def other_restart_policy(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC, restart="no")


def other_log_driver(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC, log_driver="journald")


def edge_stopped(engine: Engine) -> None:
    same_release_behind_the_edge(engine)
    engine.stop_edge()


def edge_map_leads_elsewhere(engine: Engine) -> None:
    same_release_behind_the_edge(engine)
    engine.haproxy.map["live"] = "blue"
    engine.files[MAP_FILE] = "live blue\nmaintenance off\n"


def edge_map_lacks_the_slot(engine: Engine) -> None:
    same_release_behind_the_edge(engine)
    del engine.haproxy.map["live"]
    engine.files[MAP_FILE] = ""


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
    other_release_without_nftables,
    to_leave_the_edge_without_nftables,
    behind_the_edge,
    same_release_behind_the_edge,
    edge_alone,
    to_go_behind_the_edge,
    to_leave_the_edge,
    cut_off_before_the_edge_was_told,
    cut_off_with_a_broken_one_behind_the_edge,
    edge_led_astray,
    detached_from_its_network,
    smaller_limits,
    other_restart_policy,
    other_log_driver,
    edge_stopped,
    edge_map_leads_elsewhere,
    edge_map_lacks_the_slot,
]


# After these a healthy release serves, or served until a run was cut off.
SERVED: dict[Start, str] = {
    same_release_with_other_settings: "r2",
    same_release_of_another_image: "r2",
    other_release: "r1",
    other_release_without_nftables: "r1",
    to_leave_the_edge_without_nftables: "r1",
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
    smaller_limits: "r2",
    other_restart_policy: "r2",
    other_log_driver: "r2",
}


SAME = {same_release, same_release_behind_the_edge}
# Nothing but the edge has to be repaired.
EDGE_ONLY = {edge_stopped, edge_map_leads_elsewhere, edge_map_lacks_the_slot}


BEHIND_THE_EDGE = {
    behind_the_edge,
    edge_alone,
    to_go_behind_the_edge,
    cut_off_before_the_edge_was_told,
    cut_off_with_a_broken_one_behind_the_edge,
    edge_led_astray,
}


EACH_START = pytest.mark.parametrize("start", START_STATES)


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
    assert box.cpu_shares == LIVE_CPU_SHARES
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
    """The release that served healthily still does, and no other container is left."""
    assert set(engine.boxes) <= {RELEASE_SPEC.live}
    if served:
        assert engine.boxes[RELEASE_SPEC.live].healthy
        assert engine.boxes[RELEASE_SPEC.live].labels[LABEL_RELEASE] == served
        assert engine.serving() == served


def requested(name: str, **changes: Any) -> ReleaseSpec:
    """Return the spec of `make rollback`: how, but not yet what."""
    return dataclasses.replace(RELEASE_SPEC, release=name, contract="", revision="", **changes)


def roll_back(engine: Engine, name: str = "previous", **changes: Any) -> go_live.Outcome:
    return go_live.roll_back(engine, requested(name, **changes), STATE_DIR)


# A caller who has the answer early, and the process in the background, which goes to its end.


def deploy_early(engine: Engine, spec: ReleaseSpec = RELEASE_SPEC) -> go_live.Outcome:
    outcome = deploy(engine, dataclasses.replace(spec, background=True))
    engine.finish()
    return outcome


def roll_back_early(engine: Engine) -> go_live.Outcome:
    outcome = roll_back(engine, background=True)
    engine.finish()
    return outcome
