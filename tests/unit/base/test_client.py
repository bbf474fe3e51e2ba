"""Noticing that the control node has ended its connection."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest
from classvm.base import client
from classvm.base.errors import ClassvmError


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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_terminated_run_undoes_what_it_has_begun(number: signal.Signals) -> None:
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGHUP)}
    undone = []
    try:
        client.end_orderly()
        with pytest.raises(SystemExit):  # noqa: PT012 - the signal comes within
            try:
                os.kill(os.getpid(), number)
            finally:
                undone.append(number)
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    assert undone == [number]
