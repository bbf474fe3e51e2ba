from __future__ import annotations

import errno
import io
import os
import shutil
import tarfile
import time
from typing import TYPE_CHECKING

import pytest
from classvm.app import pack
from classvm.base.errors import ClassvmError
from small_app import append, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def members(packed: pack.Packed) -> dict[str, int]:
    """Return the mode of each packed file."""
    with tarfile.open(fileobj=io.BytesIO(packed.archive)) as archive:
        return {member.name: member.mode for member in archive.getmembers()}


@pytest.fixture
def ignoring(folder: Path) -> Path:
    """Return the service with a .dockerignore like the lab's: only what is named goes in."""
    write(folder, ".dockerignore", "# only these\n\n*\n!master.yml\n!src/*.py\n")
    return folder


def test_the_same_content_gives_the_same_bytes_anywhere(folder: Path, tmp_path: Path) -> None:
    first = pack.pack(folder)
    copy = tmp_path / "elsewhere"
    shutil.copytree(folder, copy)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
    (copy / "master.yml").chmod(0o600)
    assert pack.pack(copy) == first


def test_everything_is_packed_without_a_dockerignore(folder: Path) -> None:
    assert set(members(pack.pack(folder))) == {
        "Dockerfile",
        "master.yml",
        "requirements.in",
        "requirements.txt",
        "src/sum.py",
    }


def test_dockerignore_is_respected(ignoring: Path) -> None:
    assert "requirements.in" not in members(pack.pack(ignoring))
    assert {"Dockerfile", "master.yml", "src/sum.py"} <= set(members(pack.pack(ignoring)))


def test_a_pattern_that_is_not_valid_is_refused(folder: Path) -> None:
    write(folder, ".dockerignore", "[z-a]\n")
    with pytest.raises(ClassvmError, match=r"pattern is not valid: .*\(\.dockerignore\)"):
        pack.pack(folder)


def test_a_folder_that_cannot_be_listed_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = os.listdir

    def listdir(path: str) -> list[str]:
        if str(path).endswith("src"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "listdir", listdir)
    with pytest.raises(ClassvmError, match=r"cannot be read: Permission denied \(.*/src\)"):
        pack.pack(folder)


def test_the_archive_holds_the_files(folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(pack.pack(folder).archive)) as archive:
        archive.extractall(folder / "out", filter="data")
    assert (folder / "out" / "src" / "sum.py").read_bytes() == (folder / "src/sum.py").read_bytes()


def junk(folder: Path) -> None:
    (folder / "__pycache__").mkdir()
    (folder / "src" / "__pycache__").mkdir()
    write(folder, "src/__pycache__/sum.pyc", "junk")
    write(folder, "notes.txt", "junk")
    (folder / ".venv").mkdir()
    write(folder, ".venv/python", "junk")


def test_junk_does_not_change_the_digest(ignoring: Path) -> None:
    before = pack.pack(ignoring)
    junk(ignoring)
    assert pack.pack(ignoring) == before


def test_without_a_dockerignore_it_would(folder: Path) -> None:
    before = pack.pack(folder)
    junk(folder)
    assert pack.pack(folder).digest != before.digest


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: append(folder, "src/sum.py", "\n"),
        lambda folder: (folder / "src/sum.py").chmod(0o755),
        lambda folder: (folder / "src/sum.py").rename(folder / "src/total.py"),
        lambda folder: write(folder, "src/more.py", ""),
        lambda folder: (folder / "src/sum.py").unlink(),
        lambda folder: append(folder, "Dockerfile", "\n"),
    ],
    ids=["one byte", "execute bit", "name", "one more", "one less", "Dockerfile"],
)
def test_what_counts_changes_the_digest(change: Callable[[Path], object], ignoring: Path) -> None:
    before = pack.pack(ignoring)
    change(ignoring)
    after = pack.pack(ignoring)
    assert after.digest != before.digest
    assert after.archive != before.archive


def test_modes_are_reduced_to_the_execute_bit(folder: Path) -> None:
    (folder / "src/sum.py").chmod(0o700)
    (folder / "master.yml").chmod(0o600)
    modes = members(pack.pack(folder))
    assert (modes["src/sum.py"], modes["master.yml"]) == (0o755, 0o644)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of the control node")
    folder = tmp_path / "service"
    folder.mkdir()
    (folder / "inside.txt").write_text("ours")
    (folder / "alias.txt").symlink_to("inside.txt")
    assert pack.pack(folder).digest
    (folder / "leak.txt").symlink_to("../secret")
    with pytest.raises(ClassvmError, match=r"link leads out of the app's folder \(.*leak\.txt\)"):
        pack.pack(folder)


def test_the_archive_is_made_only_when_it_is_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deploy without changes needs the digest alone, and an app may have 6,000 files."""
    monkeypatch.setattr(tarfile, "open", lambda **_: pytest.fail("an archive was made"))
    assert pack.pack(folder).digest


def test_a_folder_of_6000_files_is_read_quickly(folder: Path) -> None:
    for number in range(6000):
        path = folder / f"data/{number % 60}/{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(number))
    started = time.process_time()
    assert pack.pack(folder).digest
    assert time.process_time() - started < 2
