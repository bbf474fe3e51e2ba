from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from classvm.base import progress


@pytest.fixture(autouse=True)
def _of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_progress", None)


def said(path: Path) -> str:
    """Return what a person is shown."""
    return path.read_text().strip()


def test_the_newest_line_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "said"
    monkeypatch.setenv(progress.VARIABLE, str(path))
    progress.say("downloading 12 of 40 packages")
    progress.say("unpacking")
    assert said(path) == "unpacking"
    assert path.stat().st_size == progress.LENGTH + 1


def test_everybody_may_read_it(tmp_path: Path) -> None:
    progress.Progress(str(tmp_path / "said"))
    assert (tmp_path / "said").stat().st_mode & 0o777 == 0o644


def test_without_a_reader_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(progress.VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    progress.say("nobody listens")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("mine")
    link.symlink_to(target)
    for path in (target, link):
        progress.Progress(str(path)).say("not here")
    assert target.read_text() == "mine"


def test_a_long_line_is_cut(tmp_path: Path) -> None:
    progress.Progress(str(tmp_path / "said")).say("é" * 500)
    assert len((tmp_path / "said").read_bytes()) == progress.LENGTH + 1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("I: running apt-get update...", "running apt-get update"),
        ("W: something", ""),
        ("Get:1 x", ""),
        ("I: ", ""),
    ],
)
def test_a_program_that_marks_what_it_does(
    line: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(progress, "say", lines.append)
    progress.say_noted(line)
    assert lines == ([expected] if expected else [])


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "said"
    script = (
        "from classvm.base import progress; import os, sys; progress.say('a');"
        f"assert os.path.exists({str(path)!r}); sys.exit(3)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(progress.__file__).parents[2],
        env={progress.VARIABLE: str(path)},
        check=False,
    )
    assert done.returncode == 3
    assert not path.exists()
