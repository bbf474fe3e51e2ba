from __future__ import annotations

from pathlib import Path

import pytest
from classvm.app import code, python_checks
from classvm.app.folder import AppFolder


def found(folder: Path, files: dict[str, str]) -> list[str]:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text)
    app = AppFolder(folder)
    return [one.code for one in python_checks.check(app, code.read(app), app.python_files())]


@pytest.mark.parametrize(
    ("line", "other", "codes"),
    [
        ("from pkg import inside", "", []),
        ("from pkg.inside import here", "here = 1", []),
        ("from pkg.inside import gone", "here = 1", ["CV022"]),
        ("from pkg.inside import *", "here = 1", []),
        ("from pkg.inside import gone", "def __getattr__(name): ...", []),
        ("from elsewhere import gone", "", []),
    ],
)
def test_imports_of_the_apps_own_modules(
    line: str, other: str, codes: list[str], tmp_path: Path
) -> None:
    assert found(tmp_path, {"a.py": line, "pkg/__init__.py": "", "pkg/inside.py": other}) == codes


@pytest.mark.parametrize(
    ("call", "codes"),
    [
        ("MongoClient('mongodb://user:x@mongo:27017/a')", ["CV029"]),
        ("redis.Redis(host='redis')", ["CV029"]),
        ("MongoClient('db.example.org')", []),
        ("Client('localhost')", []),
    ],
)
def test_a_second_container(call: str, codes: list[str], tmp_path: Path) -> None:
    assert found(tmp_path, {"a.py": call}) == codes


def test_only_imported_files_are_used(tmp_path: Path) -> None:
    files = {
        "a.py": "from pkg import b",
        "pkg/__init__.py": "",
        "pkg/b.py": "import c",
        "c.py": "",
        "d.py": "",
    }
    found(tmp_path, files)
    used = python_checks.used(AppFolder(tmp_path), ["a.py"])
    assert used == ["a.py", "c.py", "pkg/__init__.py", "pkg/b.py"]


def test_a_file_in_utf_16(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n", encoding="utf-16")
    folder = AppFolder(tmp_path)
    finding = python_checks.check(folder, code.read(folder), ["a.py"])[0]
    assert (finding.code, finding.what) == ("CV020", "the file is UTF-16, not UTF-8")
