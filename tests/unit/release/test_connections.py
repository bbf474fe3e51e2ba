"""How many connections a container has, and how long they are waited for."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import subprocess
from contextlib import ExitStack

import pytest
from classvm.base import command
from classvm.base.docker import Container
from classvm.release import connections
from fake_engine import RELEASE_SPEC, Engine
from start_states import Start, World, engine_in, nothing, other_release, stopped

count, tell = connections.count, connections.tell  # before the tests' own stand in for them


def container(port: int, pid: int) -> Container:
    found = Container("id", "name", "image", running=True, exit_code=0, labels={})
    return dataclasses.replace(found, ports={f"{port}/tcp": [("0.0.0.0", 1)]}, pid=pid)


@pytest.mark.parametrize(
    ("address", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)]
)
def test_a_connection_counts_until_both_have_closed_it(
    address: str, family: socket.AddressFamily
) -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((address, 0), family=family))
        port = listener.getsockname()[1]
        me, other = container(port, os.getpid()), container(1, os.getpid())
        assert count(me) == 0
        client = stack.enter_context(socket.create_connection(listener.getsockname()[:2]))
        server, _ = listener.accept()
        assert (count(me), count(other)) == (1, 0)
        client.shutdown(socket.SHUT_WR)  # it still waits for the answer
        assert count(me) == 1
        server.close()
        assert count(me) == 0


def test_a_connection_counts_that_docker_s_proxy_has_not_handed_on() -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = listener.getsockname()[1]
        published = dataclasses.replace(container(1, 0), ports={"1/tcp": [("127.0.0.1", port)]})
        assert count(published) == 0
        stack.enter_context(socket.create_connection(listener.getsockname()))
        assert count(published) == 1  # though nobody has accepted it


def test_where_nobody_can_tell_nothing_is_waited_for() -> None:
    assert count(container(8080, 0)) == 0


def test_a_signal_reaches_the_first_process() -> None:
    with subprocess.Popen(["sleep", "60"]) as program:
        tell(container(8080, program.pid), "USR1")
        assert program.wait(10) == -signal.SIGUSR1


def drained(engine: Engine, seconds: float) -> float:
    """Return how many seconds it took."""
    before = engine.clock.now
    connections.drain(engine, RELEASE_SPEC.live, seconds)
    return engine.clock.now - before


def test_the_last_answer_is_waited_for(world: World) -> None:
    engine = engine_in(other_release)
    world(engine)
    engine.open = [1] * 10
    assert 1.0 < drained(engine, 30) < 1.5
    engine.open = [1] * 1000
    assert 2.9 < drained(engine, 3) < 3.3


@pytest.mark.parametrize("start", [nothing, stopped])
def test_what_does_not_run_has_none(world: World, start: Start) -> None:
    engine = engine_in(start)
    world(engine)
    engine.open = [1]
    assert drained(engine, 30) == 0


@pytest.mark.parametrize(("pid", "is_told"), [(0, False), (4711, True)])
def test_a_container_that_is_about_to_start_again_is_told_nothing(
    pid: int, is_told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts as running without a process; 0 would be each process of the caller's group."""
    told: list[list[str]] = []
    monkeypatch.setattr(command, "run", told.append)
    tell(container(8080, pid), "KILL")
    assert [words[-1] for words in told] == (["4711"] if is_told else [])
