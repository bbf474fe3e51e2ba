"""Files of the state folder: whole or not at all, and written for the group."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from classvm.base import state
from classvm.base.errors import ClassvmError


def test_what_is_not_there_reads_as_nothing(tmp_path: Path) -> None:
    assert state.read(str(tmp_path / "absent")) == ""
    state.remove(str(tmp_path / "absent"))


def test_what_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(ClassvmError, match="cannot be read"):
        state.read(str(tmp_path))


def test_appending_and_removing(tmp_path: Path) -> None:
    path = str(tmp_path / "file")
    state.append(path, "a\n")
    state.append(path, "b\n")
    assert state.read(path) == "a\nb\n"
    state.remove(path)
    assert not os.path.exists(path)


def test_a_write_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "file")
    state.write_atomically(path, "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ClassvmError, match=r"cannot be written .No space left on device.. `df "):
        state.write_atomically(path, "new")
    assert state.read(path) == "old"
    monkeypatch.undo()
    state.write_atomically(path, "new")
    assert state.read(path) == "new"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_the_group_may_write_them(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        state.append(str(tmp_path / "a"), "x")
        state.write_atomically(str(tmp_path / "b"), "x")
        state.open_shared(str(tmp_path / "c")).close()
        state.open_shared(str(tmp_path / state.LOCK)).close()
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes.pop(state.LOCK) == 0o660
    assert set(modes.values()) == {0o664}


def test_what_an_interrupted_write_left_is_not_written_to(tmp_path: Path) -> None:
    """It may belong to another account, and only its owner can change its mode."""
    left, other = tmp_path / "a.new", tmp_path / "other"
    left.write_text("torn")
    os.link(left, other)
    state.write_atomically(str(tmp_path / "a"), "whole")
    assert (tmp_path / "a").read_text() == "whole"
    assert other.read_text() == "torn"
    assert not left.exists()


def test_a_folder_that_is_not_there_is_told_with_its_maker(tmp_path: Path) -> None:
    path = str(tmp_path / "absent" / "file")
    for work in (state.append, state.write_atomically):
        with pytest.raises(ClassvmError, match="made by `make provision`"):
            work(path, "x")
    with pytest.raises(ClassvmError, match="made by `make provision`"):
        state.open_shared(path)


def test_times_are_utc_and_sort() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", state.now())


@pytest.mark.parametrize(
    ("environment", "account"),
    [({"LOGNAME": "student"}, "student"), ({"LOGNAME": "root", "SUDO_USER": "admin"}, "admin")],
)
def test_the_account_is_that_of_the_person(
    environment: dict[str, str], account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert state.account() == account


def test_the_key_is_made_once_and_only_when_it_is_needed(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert state.settings_key(folder, create=False) == ""
    assert os.listdir(folder) == []
    key = state.settings_key(folder, create=True)
    assert len(key) == 2 * state.KEY_BYTES
    assert state.settings_key(folder, create=True) == key
    assert (tmp_path / state.KEY).stat().st_mode & 0o777 == state.SECRET_MODE


def test_two_hosts_have_two_keys(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    one, other = (state.settings_key(str(tmp_path / name), create=True) for name in "ab")
    assert one != other


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ClassvmError, match=r"is a folder, where a file belongs. Remove it: .sudo"):
        state.read(str(tmp_path))
