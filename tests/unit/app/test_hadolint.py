from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from classvm.app import hadolint
from classvm.app.folder import AppFolder

DOCKERFILE = """FROM ubuntu:18.04
RUN sudo make
RUN sudo make install
CMD python server.py
"""


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a busy machine take its time."""
    monkeypatch.setattr(hadolint, "TIMEOUT_SECONDS", 60)


def found(folder: Path, text: str) -> list[str]:
    (folder / "Dockerfile").write_text(text)
    findings = hadolint.check(AppFolder(folder))
    return [f"{one.code} {one.place} {one.what.partition(':')[0]}" for one in findings]


def test_its_warnings_are_notes_of_ours(tmp_path: Path) -> None:
    assert found(tmp_path, DOCKERFILE) == [
        "CV057 Dockerfile:2:1 DL3004",
        "CV057 Dockerfile:4:1 DL3025",
    ]


def test_an_instruction_in_order_has_none(tmp_path: Path) -> None:
    apt = "RUN apt-get update && apt-get install -y --no-install-recommends figlet"
    assert found(tmp_path, f"FROM ubuntu:18.04\n{apt}\n") == []


def test_the_authors_own_settings_count(tmp_path: Path) -> None:
    (tmp_path / ".hadolint.yaml").write_text("ignored: [DL3004]\n")
    assert found(tmp_path, DOCKERFILE) == ["CV057 Dockerfile:4:1 DL3025"]


def test_a_misspelt_instruction_is_left_to_cv050(tmp_path: Path) -> None:
    assert found(tmp_path, "ROM ubuntu:18.04\n") == []


def test_without_a_dockerfile_or_hadolint_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hadolint.check(AppFolder(tmp_path)) == []
    monkeypatch.setattr("sys.executable", "/no/such/python")
    monkeypatch.setenv("PATH", "/no/such")
    assert found(tmp_path, DOCKERFILE) == []


@pytest.mark.parametrize("output", [b"", b"no JSON", b'{"a": 1}', b"[]"])
def test_an_answer_that_is_none_is_ignored(
    output: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*args: Any, **_: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess(args[0], 1, stdout=output)

    monkeypatch.setattr("subprocess.run", run)
    assert found(tmp_path, DOCKERFILE) == []


def test_one_that_takes_too_long_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*args: Any, **_: object) -> None:
        raise subprocess.TimeoutExpired(args[0], 2)

    monkeypatch.setattr("subprocess.run", run)
    assert found(tmp_path, DOCKERFILE) == []
