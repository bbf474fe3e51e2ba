"""Starting and restarting what was released."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from classvm.base.errors import ClassvmError
from classvm.release import lifecycle
from fake_engine import CHECK_HANGS, NEVER_HEALTHY, OLD, PORT, RELEASE_SPEC, Engine, enter
from start_states import edge_stopped


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine()
    enter(engine, monkeypatch)
    return engine


def test_what_runs_is_left_alone(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC)
    before = engine.state()
    assert lifecycle.start(engine, "lab", "/state", 2) is False
    assert engine.state() == before


def test_what_is_stopped_is_started(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC, state="exited")
    assert lifecycle.start(engine, "lab", "/state", 2) is True
    assert engine.serving() == "r2"


@pytest.mark.parametrize("state", ["running", "exited"])
def test_restarting(engine: Engine, state: str) -> None:
    box = engine.put(RELEASE_SPEC.live, RELEASE_SPEC, state=state, restarts=3)
    assert lifecycle.restart(engine, "lab", "/state", 2) is True
    assert engine.serving() == "r2"
    assert (box.restarts, box.stops) == (0, int(state == "running"))


@pytest.mark.parametrize("work", [lifecycle.start, lifecycle.restart])
def test_a_swap_that_was_cut_off_is_undone_first(
    engine: Engine, work: Callable[..., object]
) -> None:
    engine.put(RELEASE_SPEC.previous, OLD, state="exited")
    work(engine, "lab", "/state", 2)
    assert set(engine.boxes) == {RELEASE_SPEC.live}
    assert engine.serving() == "r1"


@pytest.mark.parametrize("work", [lifecycle.start, lifecycle.restart])
def test_a_port_that_is_taken_is_told(engine: Engine, work: Callable[..., object]) -> None:
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC, state="exited")
    engine.process_ports.add(PORT)
    with pytest.raises(ClassvmError, match=r"(?s)classvm-lab does not .*already allocated"):
        work(engine, "lab", "/state", 2)


@pytest.mark.parametrize("behaviour", [NEVER_HEALTHY, CHECK_HANGS])
def test_what_does_not_become_healthy_is_told(engine: Engine, behaviour: object) -> None:
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC, behaviour=behaviour, probes=0)
    with pytest.raises(ClassvmError, match=r"(?s)runs, but it was not healthy.*last words"):
        lifecycle.start(engine, "lab", "/state", 2)
    assert engine.boxes[RELEASE_SPEC.live].running


def test_a_restart_of_long_ago_is_not_taken_for_an_end(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC, behaviour=NEVER_HEALTHY, probes=0, restarts=1)
    with pytest.raises(ClassvmError, match=r"runs, but it was not healthy within 2 s"):
        lifecycle.start(engine, "lab", "/state", 2)


@pytest.mark.parametrize(
    ("state", "changed"), [("running", True), ("exited", False), (None, False)]
)
def test_stopping(engine: Engine, state: str | None, changed: bool) -> None:
    if state:
        engine.put(RELEASE_SPEC.live, RELEASE_SPEC, state=state)
    assert lifecycle.stop(engine, "lab", "/state") is changed
    assert engine.serving() == ""


def test_a_former_release_that_runs_after_an_interrupted_swap_is_stopped(engine: Engine) -> None:
    engine.put(RELEASE_SPEC.previous, OLD)
    assert lifecycle.running(engine, "lab") == [RELEASE_SPEC.previous]
    assert lifecycle.stop(engine, "lab", "/state") is True
    assert engine.serving() == ""
    assert lifecycle.stop(engine, "lab", "/state") is False


@pytest.mark.parametrize("work", [lifecycle.start, lifecycle.restart])
def test_a_stopped_edge_is_started(engine: Engine, work: object) -> None:
    edge_stopped(engine)
    assert work(engine, "lab", "/state", 2) is True  # type: ignore[operator] # a function
    assert engine.serving() == "r2"


@pytest.mark.parametrize("work", [lifecycle.start, lifecycle.restart])
def test_a_stopped_edge_that_this_account_may_not_start_is_told(
    engine: Engine, work: object
) -> None:
    edge_stopped(engine)
    engine.may_start_haproxy = False
    with pytest.raises(ClassvmError, match="this account may not start it"):
        work(engine, "lab", "/state", 2)  # type: ignore[operator] # a function
