"""Which files of an app go into its image."""

from __future__ import annotations

import io
import os
import tarfile
import time
from typing import TYPE_CHECKING

import pytest
from classvm.app import pack
from classvm.app.app_files import app_files
from classvm.app.folder import AppFolder
from classvm.base.errors import ClassvmError

if TYPE_CHECKING:
    from pathlib import Path

ODD_NAMES = [
    " leading", "-dash", "a'b", 'a"b', "a$b;c%d", "a\\b", "new\nline", "List.csv", "list.csv",
    "雪.txt", "trailing ", "ö/with blank/x", "n" * 200, os.fsdecode(b"latin\xe9"),
]  # fmt: skip


def make(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(name, errors="surrogateescape")
    return folder


def names(folder: Path) -> list[str]:
    return [file.name for file in app_files(AppFolder(folder)).files]


def test_odd_names_survive(tmp_path: Path) -> None:
    files = app_files(AppFolder(make(tmp_path / "app", *ODD_NAMES))).files
    archive = pack.packed(files, "").archive
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        opened.extractall(tmp_path / "out", filter="data")
    found = [
        os.path.relpath(os.path.join(folder, file), tmp_path / "out")
        for folder, _, inside in os.walk(tmp_path / "out")
        for file in inside
    ]
    assert sorted(found) == sorted(ODD_NAMES)
    for name in ODD_NAMES:
        assert (tmp_path / "out" / name).read_bytes() == os.fsencode(name)


def test_what_stays_out(tmp_path: Path) -> None:
    make(
        tmp_path, "a.py", "a.pyc", ".env", ".env.local", "src/__pycache__/a.pyc", "venv/bin/python"
    )
    make(tmp_path, "env/pyvenv.cfg", "env/x.py", ".git/HEAD", ".ipynb_checkpoints/a", ".DS_Store")
    make(tmp_path, "lib/__pycache__/b.pyc", "environment/a.py", ".env.example", "my.env")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "out").symlink_to("/etc/passwd")
    assert names(tmp_path) == [".env.example", "a.py", "environment/a.py", "my.env"]
    found = app_files(AppFolder(tmp_path))
    assert found.left_out == (
        ".DS_Store", ".env", ".env.local", ".git", ".ipynb_checkpoints", "a.pyc", "dangling", "env",
        "lib/__pycache__", "out", "src/__pycache__", "venv",
    )  # fmt: skip
    (line,) = found.notes()
    assert "__pycache__ (2 times)" in line
    assert ".git" not in line.split()


def test_nothing_stays_out_of_a_tidy_app(tmp_path: Path) -> None:
    assert app_files(AppFolder(make(tmp_path, "a.py"))).notes() == []
    assert app_files(AppFolder(make(tmp_path, ".git/HEAD"))).notes() == []  # of any clone


def test_links_and_empty_folders(tmp_path: Path) -> None:
    make(tmp_path, "data/a.csv", "src/x.py")
    (tmp_path / "uploads").mkdir()
    (tmp_path / "src/data").symlink_to("../data")
    (tmp_path / "full").symlink_to(tmp_path / "data")
    (tmp_path / "b.csv").symlink_to("data/a.csv")
    kinds = {file.name: (file.kind, file.content) for file in app_files(AppFolder(tmp_path)).files}
    assert kinds["b.csv"] == (tarfile.REGTYPE, b"data/a.csv")
    assert kinds["src/data"] == (tarfile.SYMTYPE, b"../data")
    assert kinds["full"] == (tarfile.SYMTYPE, b"data")
    assert kinds["uploads"] == (tarfile.DIRTYPE, b"")
    packed = pack.packed(app_files(AppFolder(tmp_path)).files, "")
    with tarfile.open(fileobj=io.BytesIO(packed.archive)) as opened:
        opened.extractall(tmp_path / "out", filter="data")
    assert (tmp_path / "out/src/data/a.csv").read_text() == "data/a.csv"
    assert (tmp_path / "out/uploads").is_dir()
    (tmp_path / "full").unlink()
    (tmp_path / "full").symlink_to("src")
    assert pack.packed(app_files(AppFolder(tmp_path)).files, "").digest != packed.digest


@pytest.mark.parametrize(
    ("ignore", "left"),
    [
        ("data", ["a.py", "docs/data/d", "docs/x"]),
        ("**/data", ["a.py", "docs/x"]),
        ("data/*\n!data/b", ["a.py", "data/b", "docs/data/d", "docs/x"]),
        ("*\n!*.py", ["a.py"]),
        ("# data\n\n  docs/  ", ["a.py", "data/b", "data/c"]),
        ("*\n!docs/data", ["docs/data/d"]),
    ],
)
def test_dockerignore(ignore: str, left: list[str], tmp_path: Path) -> None:
    make(tmp_path, "a.py", "data/b", "data/c", "docs/x", "docs/data/d")
    (tmp_path / ".dockerignore").write_text(ignore)
    found = app_files(AppFolder(tmp_path))
    assert [name for name in found.names if name != ".dockerignore"] == left
    files = "1 file" if len(found.ignored) == 1 else f"{len(found.ignored)} files"
    assert found.notes() == [f"left out of the image: {files} by .dockerignore"]


def test_a_pattern_that_is_not_valid(tmp_path: Path) -> None:
    make(tmp_path, "a.py")
    (tmp_path / ".dockerignore").write_text("[z-a]\n")
    with pytest.raises(ClassvmError, match=r"pattern is not valid: .*\(\.dockerignore\)"):
        app_files(AppFolder(tmp_path))


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    folder = AppFolder(make(tmp_path, "a.py"))
    (tmp_path / "a.py").unlink()
    with pytest.raises(ClassvmError, match=r"cannot be read: No such file .*a\.py\)"):
        app_files(folder)


def test_6000_files_take_a_moment(tmp_path: Path) -> None:
    make(tmp_path, *(f"data/{number % 60}/{number}.txt" for number in range(6000)))
    (tmp_path / ".dockerignore").write_text("*.md\n**/x\n")
    started = time.process_time()
    assert len(app_files(AppFolder(tmp_path)).names) == 6001
    assert time.process_time() - started < 3
