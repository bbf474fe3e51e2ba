"""`make adopt`: what it shows, and what it writes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import adopt
import pytest
from classvm.app import reading
from classvm.app.adopt import Addition, additions

if TYPE_CHECKING:
    from pathlib import Path

SERVER = "from flask import Flask\napp = Flask(__name__)\n"


class Terminal(io.StringIO):
    """A terminal on which somebody types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(SERVER)
    (tmp_path / ".gitignore").write_text("mine")
    return tmp_path


def test_it_is_shown_and_written(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert adopt.main([str(app)]) == 0
    told = capsys.readouterr().out
    assert '+entry: "app.py"' in told
    assert 'entry: "app.py"' in (app / "classvm.yml").read_text()
    assert (app / ".gitignore").read_text() == "mine\n__pycache__/\n.venv/\n"
    assert (app / "app.py").read_text() == SERVER
    assert adopt.main([str(app)]) == 0
    assert capsys.readouterr().out == f"{app} lacks nothing.\n"


@pytest.mark.parametrize(
    ("typed", "options", "is_written"),
    [
        ("y\n", [], True),
        ("\n", [], False),
        ("n\n", [], False),
        ("", [], False),
        ("y\n", ["--show"], False),
    ],
)
def test_a_person_is_asked(
    typed: str, options: list[str], is_written: bool, app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    assert adopt.main([str(app), *options]) == 0
    assert (app / "classvm.yml").exists() == is_written


@pytest.mark.parametrize(
    ("lines", "end"),
    [(27, "+26\n"), (28, "+27\n"), (29, "+26\n… 2 more lines\n"), (99, "… 72 more lines\n")],
)
def test_of_a_lock_the_beginning_is_shown(lines: int, end: str) -> None:
    text = "".join(f"{number}\n" for number in range(lines))
    shown = adopt.shown(Addition("requirements.txt", "", text))
    assert shown.startswith("--- /dev/null\n+++ requirements.txt\n@@")
    assert shown.endswith(end)


def test_a_file_that_appears_meanwhile_is_not_overwritten(app: Path) -> None:
    found = additions(reading.read(app))
    (app / "classvm.yml").write_text("mine")
    with pytest.raises(FileExistsError):
        adopt.write(app, found)
    assert (app / "classvm.yml").read_text() == "mine"


def test_a_folder_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert adopt.main(["/no/such"]) == 2
    assert "/no/such is not a folder" in capsys.readouterr().err
