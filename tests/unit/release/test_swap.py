"""The swap: its order, and what happens when it fails."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from typing import ClassVar

import pytest
from classvm.base.errors import ClassvmError
from classvm.image.image_labels import LABEL_RELEASE
from classvm.release import history
from classvm.release.release_spec import ALWAYS, CANDIDATE_CPU_SHARES, LIVE_CPU_SHARES
from fake_engine import (
    PORT,
    RELEASE_SPEC,
    STATE_DIR,
    Engine,
)
from start_states import (
    HISTORY,
    World,
    assert_only_live,
    assert_served_still,
    behind_the_edge,
    deploy,
    engine_in,
    nothing,
    other_release,
    other_release_on_another_port,
    other_release_without_nftables,
)


def test_the_live_release_is_stopped_only_after_the_contract(world: World) -> None:
    engine = engine_in(other_release_without_nftables)
    world(engine)
    deploy(engine)
    journal = os.path.join(STATE_DIR, "swap-lab.json")
    assert [words[:3] for words in engine.calls if words[0] in (*engine.changes(), *FILES)] == [
        ("create", "--cpu-shares", CANDIDATE_CPU_SHARES),
        ("start", RELEASE_SPEC.candidate),
        ("run", "--rm", "--interactive"),
        ("rm", "--force", "--volumes"),
        ("create", "--cpu-shares", LIVE_CPU_SHARES),
        ("write", journal),
        ("rename", RELEASE_SPEC.live, RELEASE_SPEC.previous),
        ("rename", RELEASE_SPEC.candidate, RELEASE_SPEC.live),
        ("stop", RELEASE_SPEC.previous),
        ("start", RELEASE_SPEC.live),
        ("rm", "--volumes", RELEASE_SPEC.previous),
        ("append", HISTORY),
        ("unlink", journal),
    ]


FILES = ("append", "write", "unlink")


def test_what_is_live_behind_the_edge_has_what_one_needs_that_serves(world: World) -> None:
    engine = engine_in(nothing)
    engine.put_edge()
    world(engine)
    deploy(engine)
    promoted = (
        "update",
        "--restart",
        ALWAYS,
        "--cpu-shares",
        LIVE_CPU_SHARES,
        RELEASE_SPEC.candidate,
    )
    assert [words for words in engine.calls if words[0] == "update"] == [promoted]


@pytest.mark.parametrize(
    ("before", "waits"), [(other_release_without_nftables, True), (behind_the_edge, False)]
)
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
