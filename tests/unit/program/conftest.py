"""Fixtures of the tests of the host program: a host that lives in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from classvm.base import progress
from classvm.program import environment
from classvm.program.host import Host
from fake_engine import STATE_DIR, Engine, enter


@pytest.fixture
def host_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Engine], Host]:
    """Offer ``host_of(engine)``: clock, ports and files then belong to the model."""

    def host(engine: Engine) -> Host:
        enter(engine, monkeypatch)
        return Host(STATE_DIR, engine)

    return host


@pytest.fixture
def same_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the environment of the tests alone, whatever the program does to its own."""
    monkeypatch.setattr(environment, "isolate", lambda: None)
    monkeypatch.setattr(environment, "shield", lambda: None)
    monkeypatch.setattr(progress, "_progress", None)
    folder = os.getcwd()
    yield
    os.chdir(folder)
