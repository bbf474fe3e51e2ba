from __future__ import annotations

import ast
from pathlib import Path

import pytest
from classvm.app.folder import AppFolder, decoded


def test_what_is_not_part_of_an_app_is_left_out(tmp_path: Path) -> None:
    for name in ("a.py", "b/c.txt", "__pycache__/a.pyc", "env/pyvenv.cfg", "env/lib/x.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text("")
    found = AppFolder(tmp_path)
    assert found.files == ["a.py", "b/c.txt"]
    assert found.junk == ["__pycache__", "env"]


def test_links_that_lead_nowhere_or_out_are_told(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "real.txt").write_text("a")
    (app / "inside").symlink_to("real.txt")
    (app / "nowhere").symlink_to("gone")
    (app / "out").symlink_to(tmp_path)
    found = AppFolder(app)
    assert found.files == ["inside", "real.txt"]
    assert found.broken_links == ["nowhere", "out"]


@pytest.mark.parametrize("code", ["def f(:", "\0", "(" * 1000, "x = '\\ud800'\n\tb"])
def test_a_file_that_cannot_be_parsed_says_why(code: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(code)
    found = AppFolder(tmp_path)
    assert isinstance(found.parsed("a.py"), SyntaxError)
    assert found.tree("a.py").body == []


def test_nothing_is_executed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("raise SystemExit")
    assert isinstance(AppFolder(tmp_path).parsed("a.py"), ast.Module)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_a_text_is_read_in_its_encoding(encoding: str) -> None:
    mark = b"\xff\xfe" if encoding == "utf-16-le" else b""
    assert decoded(mark + "é=1".encode(encoding)) == "é=1"


def test_a_folder_that_cannot_be_read_is_empty(tmp_path: Path) -> None:
    assert AppFolder(tmp_path / "none").files == []


def test_what_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.py").write_text("")
    (tmp_path / "b.py").write_text("")
    (tmp_path / "below").mkdir()
    refused = {str(tmp_path / "a.py"), str(tmp_path / "below")}
    # Whoever runs the tests may be root, who reads everything.
    monkeypatch.setattr("os.access", lambda path, _mode: str(path) not in refused)
    found = AppFolder(tmp_path)
    assert found.files == ["b.py"]
    assert found.unreadable == ["a.py", "below"]
