"""Waiting for a container: what is asked, and how often."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
from classvm.base.errors import ClassvmError
from classvm.release import health
from fake_engine import PORT, RELEASE_SPEC, Behaviour, Clock, Engine
from start_states import World, deploy, engine_in, nothing

if TYPE_CHECKING:
    from collections.abc import Iterator

answers = health.answers  # before the tests' own stands in for it


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine()
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC)
    monkeypatch.setattr(health, "time", engine.clock)
    return engine


def listens(engine: Engine, monkeypatch: pytest.MonkeyPatch, since: float) -> None:
    """Have the port answer from that second on."""
    clock: Clock = engine.clock
    monkeypatch.setattr(health, "answers", lambda port, _: port == 8080 and clock.now >= since)


def probes(engine: Engine) -> int:
    return engine.verbs().count("exec")


def test_the_check_is_not_run_before_the_port_answers(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    listens(engine, monkeypatch, since=0.4)
    health.wait(engine, RELEASE_SPEC.live, 2)
    assert probes(engine) == 1
    assert 0.4 <= engine.clock.now < 0.45


def test_a_service_that_answers_elsewhere_is_checked_all_the_same(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    listens(engine, monkeypatch, since=1e9)
    health.wait(engine, RELEASE_SPEC.live, 2)
    assert engine.clock.now <= health.PORT_GRACE_SECONDS + health.PORT_POLL_SECONDS


def test_without_a_port_it_is_checked_at_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    listens(engine, monkeypatch, since=1e9)
    monkeypatch.setattr(health, "own_places", lambda _: [])
    health.wait(engine, RELEASE_SPEC.live, 2)
    assert engine.clock.now == 0


def test_what_has_ended_is_seen_without_an_answer(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    listens(engine, monkeypatch, since=1e9)
    engine.boxes[RELEASE_SPEC.live].state = "exited"
    with pytest.raises(ClassvmError, match="it ended with exit code"):
        health.wait(engine, RELEASE_SPEC.live, 9)
    assert engine.clock.now < 2 * health.PORT_GRACE_SECONDS


@pytest.mark.parametrize(("crashes", "is_told"), [(0, True), (1, False)])
def test_a_program_that_starts_no_server_is_told_so(
    engine: Engine, crashes: int, is_told: bool
) -> None:
    box = engine.boxes[RELEASE_SPEC.live]
    box.state, box.restarts = "exited", crashes
    reason = health.reason_of_end(engine, RELEASE_SPEC.live)
    assert reason.startswith("it ended with exit code ")
    assert reason.endswith(health.NO_SERVER) == is_told


def test_what_is_gone_is_not_waited_for(engine: Engine) -> None:
    with pytest.raises(ClassvmError, match="it is gone"):
        health.wait(engine, "nobody", 9)
    assert engine.clock.now == 0


def test_the_published_ports(engine: Engine) -> None:
    assert published(engine) == [PORT]
    engine.boxes[RELEASE_SPEC.live].state = "exited"
    assert published(engine) == []


def published(engine: Engine) -> list[int]:
    live = engine.container(RELEASE_SPEC.live)
    assert live is not None
    return health.published(live)


@pytest.fixture
def port() -> Iterator[int]:
    class Refuses(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_error(503)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Refuses) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_any_answer_is_a_sign_and_none_is_none(port: int) -> None:
    assert answers(port)


def test_a_closed_port_gives_none(port: int) -> None:
    assert not answers(1 if port != 1 else 2)


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
    assert health.check_argv(live) == words


def test_an_image_without_a_health_check_has_to_answer_on_its_port(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_in(nothing, Behaviour(healthy_after=0))
    engine.healthcheck = []
    world(engine)
    deploy(engine)
    assert "exec" not in engine.verbs()
    live = engine.container(RELEASE_SPEC.live)
    assert live is not None
    assert health.is_healthy(engine, live)
    monkeypatch.setattr(health, "answers", lambda *_: False)
    assert not health.is_healthy(engine, live)
    with pytest.raises(ClassvmError, match="it was not healthy within 2 s"):
        health.wait(engine, RELEASE_SPEC.live, 2)


def test_a_container_that_vanishes_is_refused() -> None:
    assert health.reason_of_end(engine_in(nothing), RELEASE_SPEC.live) == "it is gone"
