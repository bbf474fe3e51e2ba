"""The engine of a host under test is not that of the machine that tests."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from classvm.base import engine_socket
from infra.vm import HostDocker


def test_only_the_host_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def root(_: str, *words: str) -> Any:
        asked.append(words)
        return SimpleNamespace(rc=1, stdout="[]", stderr="Error: No such container: x")

    here: list[tuple[str, str]] = []
    monkeypatch.setattr(engine_socket, "get", lambda *words: here.append(words))
    host: Any = SimpleNamespace(root=root)
    assert HostDocker(host).container("x") is None
    assert asked == [("docker", "container", "inspect", "x")]
    assert here == []
