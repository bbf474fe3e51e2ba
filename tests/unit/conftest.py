"""What several tests of the plugins need: programs that are not the real ones."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import hypothesis
import pytest
from classvm.base import client, docker
from classvm.release import health

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# How long a case takes depends on the machine, and is no reason to fail.
hypothesis.settings.register_profile("classvm", deadline=None)
hypothesis.settings.load_profile("classvm")

# What the code and the fakes themselves call and may have for real.
REAL = ("base64", "cat", "kill", "rm", "sleep", "tr")


@pytest.fixture(autouse=True)
def nobody_asks_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every service answer at once: the ports of this machine are none of the tests'."""
    monkeypatch.setattr(health, "answers", lambda _: True)


@pytest.fixture(autouse=True)
def nobody_called_make(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the `make` that runs the tests: one that a test calls would add to its output."""
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide this machine's engine, if it runs: a fast test has to pass without one."""
    monkeypatch.setattr(docker, "SOCKET", str(tmp_path / "no-engine.sock"))


@pytest.fixture(autouse=True)
def nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave this process alone: a module that runs in it would end it, with all tests."""
    monkeypatch.setattr(client.Watch, "begin", lambda _: None)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Offer ``program(name, script)``: PATH then holds these fakes and little else.

    It returns the file in which the fake notes each call, one line of arguments per call.
    """
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in REAL:
        (folder / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(folder))

    def install(name: str, script: str = "") -> Path:
        calls = tmp_path / f"{name}.calls"
        file = folder / name
        file.unlink(missing_ok=True)  # never write through a link to the real one
        file.write_text(f'#!/bin/sh\necho "$@" >> {calls}\n{script}\n', encoding="utf-8")
        file.chmod(0o700)
        return calls

    return install
