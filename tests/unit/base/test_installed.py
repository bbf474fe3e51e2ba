"""How the host program finds the state folder."""

from __future__ import annotations

from pathlib import Path

from classvm.base import installed


def test_the_state_folder_is_that_of_the_link(tmp_path: Path) -> None:
    files = installed.Files(state=str(tmp_path / "state"))
    assert installed.state_dir(files) == ""
    (tmp_path / "state").symlink_to("/srv/classvm")
    assert installed.state_dir(files) == "/srv/classvm"


def test_what_is_no_link_is_no_provision(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    assert installed.state_dir(installed.Files(state=str(tmp_path / "state"))) == ""


def test_all_files_are_watched() -> None:
    assert set(installed.watched()) == set(vars(installed.HERE).values())
