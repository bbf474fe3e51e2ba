"""One change of what is live at a time, whoever dies meanwhile."""

from __future__ import annotations

import multiprocessing
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from classvm.base import locks, state
from classvm.base.docker import Docker
from classvm.base.errors import ClassvmError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

Holder = tuple["ForkProcess", "Connection"]
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def state_dir(tmp_path: Path) -> str:
    return str(tmp_path)


def hold(state_dir: str, channel: Connection) -> None:
    with locks.held(state_dir):
        channel.send("held")
        channel.recv()


@pytest.fixture
def holder(state_dir: str) -> Iterator[Holder]:
    """Another process that holds the lock, and the channel on which it waits."""
    here, there = FORK.Pipe()
    process = FORK.Process(target=hold, args=(state_dir, there))
    process.start()
    assert here.recv() == "held"
    yield process, here
    if process.is_alive():
        here.send("go")
    process.join(5)


def test_a_second_deploy_waits_and_then_tells_who_holds_the_host(
    holder: Holder, state_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "SECONDS", 0.2)
    monkeypatch.setattr(locks, "POLL_SECONDS", 0.02)
    started = time.monotonic()
    who = re.escape(
        f"Another deploy holds this host: process {holder[0].pid} of {state.account()}, since 20"
    )
    with pytest.raises(ClassvmError, match=who), locks.held(state_dir):
        pytest.fail("two hold the lock")
    assert time.monotonic() - started >= 0.2


def test_a_second_deploy_goes_on_when_the_first_has_ended(
    holder: Holder, state_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "POLL_SECONDS", 0.02)
    holder[1].send("go")
    with locks.held(state_dir):
        held = state.read(os.path.join(state_dir, state.LOCK))
    assert held.startswith(f"process {os.getpid()} of ")
    assert len(held.splitlines()) == 1


def hold_with_client(state_dir: str, client: str) -> None:
    with locks.held(state_dir):
        Docker(client).run("stop")


@pytest.fixture
def client(tmp_path: Path) -> Path:
    """A client that works until a file tells it to end."""
    path = tmp_path / "docker"
    begun, end = tmp_path / "begun", tmp_path / "end"
    path.write_text(f"#!/bin/sh\ntouch {begun}\nwhile [ ! -e {end} ]; do sleep 0.02; done\n")
    path.chmod(0o755)
    return path


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_a_killed_holder_has_begun_with_the_engine_ends_before_the_next_run(
    state_dir: str, client: Path
) -> None:
    process = FORK.Process(target=hold_with_client, args=(state_dir, str(client)))
    process.start()
    until((client.parent / "begun").exists)
    process.kill()
    process.join()
    assert locks.is_held(state_dir)
    (client.parent / "end").touch()
    until(lambda: not locks.is_held(state_dir))


def test_a_killed_holder_frees_the_lock(
    holder: Holder, state_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "SECONDS", 0)
    holder[0].kill()
    holder[0].join()
    with locks.held(state_dir):
        pass


def test_what_fails_under_the_lock_is_not_blamed_on_the_lock(state_dir: str) -> None:
    with pytest.raises(FileNotFoundError), locks.held(state_dir):
        raise FileNotFoundError("of somebody else")


def test_a_shell_waits_until_the_lock_is_free(
    holder: Holder, state_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "SECONDS", 1)
    command = ["sh", "-c", locks.waiting(os.path.join(state_dir, state.LOCK))]
    assert subprocess.run(command, check=False).returncode == 1
    holder[1].send("go")
    holder[0].join(5)
    assert subprocess.run(command, check=False).returncode == 0
    # It makes no lock of its own, which would be root's.
    elsewhere = locks.waiting(os.path.join(state_dir, "another"))
    assert subprocess.run(["sh", "-c", elsewhere], check=False).returncode == 0
    assert os.listdir(state_dir) == [state.LOCK]
