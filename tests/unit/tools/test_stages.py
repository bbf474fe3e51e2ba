from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import stages

if TYPE_CHECKING:
    import pytest


def test_a_stage_is_a_target_with_its_variables() -> None:
    assert stages.command("lint") == ["make", "--no-print-directory", "lint"]
    assert stages.command("scenario S=jammy")[-2:] == ["scenario", "S=jammy"]


def test_the_first_failure_ends_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = iter([0, 2])
    ran = []

    def run(words: list[str], check: bool) -> subprocess.CompletedProcess[str]:
        assert not check
        ran.append(words[2])
        return subprocess.CompletedProcess(words, next(codes))

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr("sys.argv", ["stages.py", "lint", "unit", "e2e"])
    assert stages.main() == 2
    assert ran == ["lint", "unit"]
    said = capsys.readouterr().out
    assert "e2e" not in said
    assert "test: unit failed after 0.0 minutes" in said


def test_a_good_run_ends_with_the_number_of_stages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done: subprocess.CompletedProcess[str] = subprocess.CompletedProcess([], 0)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    monkeypatch.setattr("sys.argv", ["stages.py", "lint", "unit"])
    assert stages.main() == 0
    assert "test: all 2 stages passed" in capsys.readouterr().out
