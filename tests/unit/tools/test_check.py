"""`make check` and `make explain`: what they print, and how they end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import check
import pytest
import tree
import yaml
from classvm.app.codes import RULES

if TYPE_CHECKING:
    from pathlib import Path


def app(folder: Path, name: str) -> str:
    """Write one of the small apps and return its folder."""
    files = yaml.safe_load((tree.ROOT / f"tests/apps/{name}.yml").read_text())["files"]
    for file, text in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)
    return str(folder)


def test_an_app_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main([app(tmp_path, "in-order")]) == 0
    told = capsys.readouterr().out
    assert told.startswith("spec: master.yml · entry: server.py · port 8081 → ")
    assert "0 errors, 0 warnings, 0 notes in " in told


def test_an_app_with_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main([app(tmp_path, "spec-slips")]) == 1
    assert "api/lamps.yaml:15:19: error CV006: `type: intger`" in capsys.readouterr().out


def test_warnings_alone_are_no_failure(tmp_path: Path) -> None:
    start = "if __name__ == '__main__':\n    app.run()\n"
    (tmp_path / "app.py").write_text(f"from flask import Flask\napp = Flask(__name__)\n{start}")
    assert check.main([str(tmp_path)]) == 0


def test_a_program_reads_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main([app(tmp_path, "handlers"), "--format", "json"]) == 1
    assert {one["code"] for one in json.loads(capsys.readouterr().out)} >= {"CV012", "CV015"}


def test_a_folder_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["/no/such"]) == 2
    assert "/no/such is not a folder" in capsys.readouterr().err


@pytest.mark.parametrize("code", RULES)
def test_each_code_is_explained(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["--explain", code]) == 0
    assert capsys.readouterr().out.startswith(f"{code}: {RULES[code].title}\n\n")


@pytest.mark.parametrize(
    ("code", "hint"), [("CV0012", "Did you mean CV012?"), ("x", "Codes are CV001 to")]
)
def test_another_code_is_refused(code: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["--explain", code]) == 2
    assert hint in capsys.readouterr().err


def test_a_reader_that_stops_reading_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    program = [sys.executable, check.__file__, "--explain", "CV012"]
    try:
        ended = subprocess.run(program, stdout=writing, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writing)
    assert ended.stderr == b""
