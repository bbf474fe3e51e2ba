"""What an app writes at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.app.folder import AppFolder
from classvm.app.written import check, outermost, writes

if TYPE_CHECKING:
    from pathlib import Path


def found(folder: Path, code: str) -> list[tuple[str, str]]:
    (folder / "a.py").write_text(code)
    return [(one.path, one.folder) for one in writes(AppFolder(folder), ["a.py"])]


@pytest.mark.parametrize(
    ("code", "path", "folder"),
    [
        ("open('a.txt', 'w')", "a.txt", "."),
        ("open('a/b.txt', mode='ab')", "a/b.txt", "a"),
        ("open(file='a/b.txt', mode='r+')", "a/b.txt", "a"),
        ("Path('a/b').open('w')", "a/b", "a"),
        ("gzip.open('a/b.gz', 'w')", "a/b.gz", "a"),
        ("open(name, 'w')", "", "."),
        ("open('a/' + name, 'w')", "", "a"),
        ("os.makedirs('a/b', exist_ok=True)", "a/b", "a/b"),
        ("os.makedirs('a/' + name)", "", "a"),
        ("from os import makedirs\nmakedirs('a')", "a", "a"),
        ("Path('a').mkdir()", "a", "a"),
        ("os.mkdir('a')", "a", "a"),
        ("Path('a/b').write_text('')", "a/b", "a"),
        ("sqlite3.connect('a/b.db')", "a/b.db", "a"),
        ("sqlite3.connect(unknown)", "", "."),
        ("frame.to_csv('out/x.csv')", "out/x.csv", "out"),
        ("os.remove('a/b')", "a/b", "a"),
        ("shutil.copy('a/b', 'c/d')", "c/d", "c"),
        ("shutil.rmtree('a')", "a", "."),
        ("upload.save(os.path.join('up', upload.filename))", "", "up"),
        ("logging.basicConfig(filename='log/a.log')", "log/a.log", "log"),
        ("shelve.open('a/b')", "a/b", "a"),
        ("config['URI'] = 'sqlite:///a/b.db'", "a/b.db", "a"),
        ("config['URI'] = 'sqlite:///' + os.path.join('a', 'b.db')", "a/b.db", "a"),
        ("config['URI'] = f'sqlite:///{name}'", "", "."),
    ],
)
def test_what_writes(code: str, path: str, folder: str, tmp_path: Path) -> None:
    assert (path, folder) in found(tmp_path, code)


@pytest.mark.parametrize(
    "code",
    [
        "open('a')",
        "open('a', 'rb')",
        "open('a', mode)",
        "open('/tmp/a', 'w')",
        "os.path.join('a', 'w')",
        "broker.connect('a')",
        "sqlite3.connect(':memory:')",
        "'a'.replace('b', 'c')",
        "values.copy()",
        "record.save()",
        "record.save(commit)",
        "json.dump(value, file)",
        "frame.to_json()",
        "x = 'sqlite:///:memory:'",
        "x = 'sqlite://'",
        "x = f''",
        "logging.basicConfig()",
    ],
)
def test_what_writes_nothing(code: str, tmp_path: Path) -> None:
    assert found(tmp_path, code) == []


@pytest.mark.parametrize(
    ("folders", "outer"),
    [
        ([], ()),
        (["b", "a", "a/c", "ab"], ("a", "ab", "b")),
        (["a/b/c", "a"], ("a",)),
        (["a", "."], (".",)),
        (["a/"], ("a",)),
    ],
)
def test_the_outermost_folders(folders: list[str], outer: tuple[str, ...]) -> None:
    assert outermost(folders) == outer


def test_the_findings(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("open('data/x', 'w')\nopen(name, 'w')\n")
    first, second = check(writes(AppFolder(tmp_path), ["a.py"]))
    assert (first.code, first.place) == ("CV028", "a.py:1:1")
    assert "`data/x`" in first.what
    assert "`keep: [data]`" in first.fix
    assert "a file" in second.what
