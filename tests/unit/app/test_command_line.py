from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest
from classvm.app import command_line

if TYPE_CHECKING:
    from pathlib import Path

SERVER = "from flask import Flask\napp = Flask(__name__)\napp.run(debug=True)\n"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an app in a folder of a repository, at whose top the program is started."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "service").mkdir()
    (tmp_path / "service/server.py").write_text(SERVER)
    return tmp_path / "service"


def test_people_read_findings_and_how_long_it_took(
    app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main([str(app)]) == 0
    told = capsys.readouterr().out
    assert "server.py:3: warning CV025" in told
    assert " in 0." in told
    # Who has no clone of classvm cannot make anything of it.
    assert "make explain" not in told
    assert command_line.check(app, "text", host_port=4711) == 0
    told = capsys.readouterr().out
    assert told.startswith("spec: none · entry: server.py · port 5000 → 4711")
    assert "make explain CV0" in told


def test_annotations_name_the_file_from_the_top_of_the_repository(
    app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["--format", "github", "service"]) == 0
    assert "::warning file=service/server.py,line=3,title=CV025::" in capsys.readouterr().out
    assert command_line.main(["--format", "sarif", str(app)]) == 0
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    places = {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in results}
    assert places == {"service/server.py", "service"}


def test_without_a_name_it_is_the_present_folder(
    app: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(app)
    assert command_line.main(["--format", "github"]) == 0
    assert "::warning file=server.py,line=3,title=CV025::" in capsys.readouterr().out


def test_elsewhere_it_is_named_from_its_own_folder(
    app: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert command_line.main(["--format", "github", str(app)]) == 0
    assert "file=server.py," in capsys.readouterr().out


def test_errors_are_a_failure(app: Path) -> None:
    (app / "server.py").write_text("def (\n")
    assert command_line.main([str(app)]) == 1


def test_a_folder_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["/no/such"]) == 2
    assert "/no/such is not a folder" in capsys.readouterr().err


def test_only_the_program_of_its_own_lets_a_closed_pipe_end_it(app: Path) -> None:
    before = signal.getsignal(signal.SIGPIPE)
    assert command_line.main([str(app)]) == 0
    assert signal.getsignal(signal.SIGPIPE) == before
