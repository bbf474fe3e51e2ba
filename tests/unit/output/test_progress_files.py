from __future__ import annotations

from pathlib import Path

from classvm.output import progress_files


def test_what_a_host_says_is_read_until_it_has_ended(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert progress_files.read(folder, "a") == ""
    progress_files.write(folder, "a", "one")
    progress_files.write(folder, "a", "two of 3 \n")
    progress_files.write(folder, "b/../c", "of another")
    assert progress_files.read(folder, "a") == "two of 3"
    assert progress_files.read(folder, "b/../c") == "of another"
    progress_files.clear(folder, "a")
    assert progress_files.read(folder, "a") == ""
    progress_files.clear(folder, "a")


def test_a_terminal_can_show_it(tmp_path: Path) -> None:
    progress_files.write(str(tmp_path), "a", "\x1b[2Jboo\tm" + "x" * 1000)
    shown = progress_files.read(str(tmp_path), "a")
    assert shown.startswith("[2Jboomx")
    assert len(shown) == progress_files.LENGTH


def test_a_run_does_not_fail_for_it(tmp_path: Path) -> None:
    progress_files.write(str(tmp_path / "gone"), "a", "one")
    assert progress_files.read(str(tmp_path / "gone"), "a") == ""


def test_the_folder_is_one_of_the_environment() -> None:
    assert progress_files.folder({}) == ""
    assert progress_files.folder({progress_files.VARIABLE: "/x"}) == "/x"
