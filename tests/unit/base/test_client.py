"""Noticing that the control node has ended its connection."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from classvm.base import client
from classvm.base.errors import ClassvmError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def test_a_reader_that_waits_is_there() -> None:
    reader, writer = os.pipe()
    assert not client.has_gone(writer)
    os.close(reader)
    assert client.has_gone(writer)
    os.close(writer)


def test_a_socket_whose_other_end_is_closed() -> None:
    here, there = socket.socketpair()
    assert not client.has_gone(here.fileno())
    there.close()
    assert client.has_gone(here.fileno())
    here.close()


def test_a_file_never_says_so(tmp_path: Path) -> None:
    with open(tmp_path / "out", "w", encoding="utf-8") as file:
        assert not client.has_gone(file.fileno())
    with open(os.devnull, "w", encoding="utf-8") as file:
        assert not client.has_gone(file.fileno())


def test_the_message_says_that_nothing_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "has_gone", lambda: False)
    client.require_present()
    monkeypatch.setattr(client, "has_gone", lambda: True)
    with pytest.raises(ClassvmError, match=r"^Interrupted: .* the swap did not begin"):
        client.require_present()


@pytest.fixture
def handlers() -> Iterator[None]:
    """Put the handlers of signals back."""
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_terminated_run_undoes_what_it_has_begun(number: signal.Signals) -> None:
    undone = []
    client.end_orderly()
    with pytest.raises(SystemExit, match="the run was terminated"):  # noqa: PT012 - the signal comes within
        try:
            os.kill(os.getpid(), number)
        finally:
            undone.append(number)
    assert undone == [number]


# A module: it says its number, begins a build that takes a minute, and undoes it when it is ended.
MODULE = """
import pathlib, subprocess, sys
from classvm.base import client
client.end_orderly()
try:
    if "present" in sys.argv:
        client.require_present()
    pathlib.Path(sys.argv[1]).write_text("begun")
    subprocess.run(["sleep", sys.argv[2]], check=True)
    pathlib.Path(sys.argv[1]).write_text("done")
except SystemExit:
    pathlib.Path(sys.argv[1]).write_text("undone")
"""


def begun(told: Path, *words: str, **options: Any) -> subprocess.Popen[bytes]:
    """Start the module as Ansible does, and wait until it works."""
    environment = {**os.environ, "PYTHONPATH": str(Path(client.__file__).parents[2])}
    argv = [*options.pop("before", ()), sys.executable, "-c", MODULE, str(told), *words]
    process = subprocess.Popen(
        argv, stdout=subprocess.PIPE, env=environment, start_new_session=True, **options
    )
    until(told.exists)
    return process


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_run_for_which_nobody_waits_ends_within_seconds(tmp_path: Path) -> None:
    told = tmp_path / "told"
    with begun(told, "60") as process:
        assert process.stdout
        process.stdout.close()
        until(lambda: told.read_text() == "undone")
        assert process.wait(10) == 0


def test_a_run_for_which_somebody_waits_goes_on(tmp_path: Path) -> None:
    told = tmp_path / "told"
    with begun(told, "1.5") as process:
        assert process.wait(10) == 0
    assert told.read_text() == "done"


def test_from_the_swap_on_a_run_goes_to_its_end(tmp_path: Path) -> None:
    told = tmp_path / "told"
    with begun(told, "1.5", "present") as process:
        assert process.stdout
        process.stdout.close()
        until(lambda: told.read_text() == "done")


# What begins the module's session, as the server of SSH does.
STARTER = "import subprocess, sys; subprocess.run(sys.argv[1:], start_new_session=True)"


@pytest.mark.parametrize("between", [[], ["sh", "-c", '"$@"; exit', "-"]], ids=["none", "a shell"])
def test_a_run_whose_starter_is_killed_ends(between: list[str], tmp_path: Path) -> None:
    """The other end of its output may be held open by a program that the starter has left."""
    told = tmp_path / "told"
    with begun(told, "60", before=[sys.executable, "-c", STARTER, *between]) as process:
        process.kill()
        until(lambda: told.read_text() == "undone")


# What a module finds out in a shell that has begun a session.
SESSION = "import os; from classvm.base import client; print(os.getsid(0), *client.waiting())"


def test_who_waits_is_known_up_to_who_began_the_session() -> None:
    code = f"import sys; sys.path[:0] = {sys.path}; {SESSION}"
    told = subprocess.run(
        ["/bin/sh", "-c", '"$0" -c "$1"; exit', sys.executable, code],
        start_new_session=True,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    session, _, *above = map(int, told.split())
    assert above == [session, os.getpid()]


def test_who_waits_does_not_change_by_itself() -> None:
    found = client.waiting()
    assert found[:2] == [os.getpid(), os.getppid()]
    assert found == client.waiting()
