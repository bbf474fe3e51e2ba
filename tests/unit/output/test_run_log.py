from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from classvm.output import run_log
from classvm.output.run_log import RunLog


def test_a_log_has_its_run_s_text_without_colours(tmp_path: Path) -> None:
    log = RunLog(str(tmp_path / "a/logs"), "deploy")
    log.write("\x1b[0;32mok\x1b[0m")
    log.write("more")
    assert log.path
    assert log.path.read_text() == "ok\nmore\n"
    assert "-deploy-" in log.path.name


def test_nobody_else_reads_it(tmp_path: Path) -> None:
    log = RunLog(str(tmp_path / "logs"), "deploy")
    assert log.path
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.path.parent.stat().st_mode) == 0o700


def test_the_last_ten_are_kept(tmp_path: Path) -> None:
    for day in range(12):
        (tmp_path / f"2020-01-{day:02}T00-00-00-deploy-1.log").touch()
    (tmp_path / "notes.txt").touch()
    log = RunLog(str(tmp_path), "deploy")
    left = sorted(tmp_path.glob("*.log"))
    assert len(left) == run_log.KEPT_LOGS
    assert left[-1] == log.path
    assert (tmp_path / "notes.txt").exists()


def test_it_is_bounded_and_keeps_the_end(tmp_path: Path) -> None:
    log = RunLog(str(tmp_path), "deploy")
    for number in range(30):
        log.write(f"{number} " + "x" * 60_000)
    assert log.path
    text = log.path.read_text()
    assert len(text) <= run_log.LIMIT_BYTES
    assert text.startswith("[... the older lines")
    assert "\n29 x" in text


@pytest.mark.parametrize("folder", ["", "file/logs"])
def test_a_run_without_a_log(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").touch()
    log = RunLog(str(tmp_path / folder) if folder else "", "deploy")
    log.write("text")
    assert log.path is None


def test_a_log_that_cannot_be_written_any_more_ends(tmp_path: Path) -> None:
    log = RunLog(str(tmp_path), "deploy")
    assert log.path
    log.path.unlink()
    os.mkdir(log.path)
    log.write("text")
    assert log.path is None
