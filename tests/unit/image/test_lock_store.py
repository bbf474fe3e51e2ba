"""The locks of a host."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from pathlib import Path

import pytest
from classvm.app.pack import File, Packed
from classvm.base import state
from classvm.base.errors import ClassvmError
from classvm.image import lock_store

CONTEXT = Packed("d", (File("app/server.py", 0o644, b"x"), File("b.sh", 0o755, b"y"))).archive


def test_a_lock_is_named_by_what_it_comes_from() -> None:
    # printf 'b\n5' | sha256sum
    digest = "8ffd8ff67ccf6c7fe6b2a7ca2fdd4e5d6ed2ebb4d2ecf4d0ddcf0f0c9d3ba8d4"
    assert len(lock_store.lock_id("b", "5")) == len(digest)
    names = {lock_store.lock_id(*each) for each in (("b", "5"), ("c", "5"), ("b", "6"))}
    assert len(names) == 3


def test_what_was_written_is_read(tmp_path: Path) -> None:
    assert lock_store.read(str(tmp_path), "a") == ""
    lock_store.write(str(tmp_path), "a", "flask==1\n")
    lock_store.write(str(tmp_path), "b", "flask==2\n")
    assert lock_store.read(str(tmp_path), "a") == "flask==1\n"
    assert lock_store.stored(str(tmp_path)) == ["a", "b"]
    assert sorted(os.listdir(tmp_path / "locks")) == ["a.txt", "b.txt"]


def test_every_student_may_write(tmp_path: Path) -> None:
    """Whoever deploys first makes the folder; the others of the group use it, too."""
    before = os.umask(0o077)
    try:
        lock_store.write(str(tmp_path), "a", "x")
    finally:
        os.umask(before)
    for path in (tmp_path / "locks", tmp_path / "locks/a.txt"):
        assert path.stat().st_mode & stat.S_IWGRP


def test_an_interruption_leaves_no_half_of_a_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lock_store.write(str(tmp_path), "a", "half")
    assert lock_store.read(str(tmp_path), "a") == ""
    assert lock_store.stored(str(tmp_path)) == []
    monkeypatch.undo()
    lock_store.write(str(tmp_path), "a", "whole")
    assert lock_store.read(str(tmp_path), "a") == "whole"


def test_without_a_state_folder_the_reason_is_told(tmp_path: Path) -> None:
    with pytest.raises(ClassvmError, match="cannot be written"):
        lock_store.write(str(tmp_path / "absent"), "a", "x")


def test_only_locks_that_an_image_needs_stay(tmp_path: Path) -> None:
    assert lock_store.prune(str(tmp_path), ()) == []
    for name in ("a", "b", "c"):
        lock_store.write(str(tmp_path), name, "x")
    (tmp_path / "locks/note.md").write_text("a student's own")
    assert lock_store.prune(str(tmp_path), {"b", "z"}) == ["a", "c"]
    assert sorted(os.listdir(tmp_path / "locks")) == ["b.txt", "note.md"]


def test_a_lock_that_cannot_be_removed_stays(tmp_path: Path) -> None:
    (tmp_path / "locks/odd.txt").mkdir(parents=True)
    assert lock_store.prune(str(tmp_path), ()) == []
    assert lock_store.stored(str(tmp_path)) == ["odd"]


def test_the_lock_joins_the_context() -> None:
    whole = lock_store.with_lock(CONTEXT, "flask==1\n")
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        read = {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr] # all are files
        modes = {one.name: (one.mode, one.uid, one.mtime) for one in archive}
    assert read == {"app/server.py": b"x", "b.sh": b"y", "requirements.txt": b"flask==1\n"}
    assert modes["requirements.txt"] == (0o644, 0, 0)


def test_equal_content_gives_equal_bytes() -> None:
    assert lock_store.with_lock(CONTEXT, "a") == lock_store.with_lock(CONTEXT, "a")
    assert lock_store.with_lock(CONTEXT, "a") != lock_store.with_lock(CONTEXT, "b")


def test_the_files_belong_to_the_state_folder() -> None:
    assert state.FOLDER_MODE == state.FILE_MODE | 0o111
