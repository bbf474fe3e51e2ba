"""Install the host program, and remove it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from classvm.base import host
from classvm.base.errors import ClassvmError
from classvm.base.installed import Files
from classvm.provision import host_program
from classvm.provision.host_program import Desired

CHOICES = {"service": "lab", "guarded": True, "open_tcp": [80]}


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Return places of the program below a folder of the test."""
    at = tmp_path / "usr"
    return Files(f"{at}/lib/classvm/classvm", f"{at}/bin/classvm", f"{at}/lib/classvm/state")


@pytest.fixture
def desired(tmp_path: Path) -> Desired:
    """Return what shall be there."""
    (tmp_path / "state").mkdir()
    return Desired(b"#!program", str(tmp_path / "state"), CHOICES)


def test_what_is_missing_is_installed_once(files: Files, desired: Desired) -> None:
    record = os.path.join(desired.state_dir, host.CHOICES)
    assert host_program.missing(desired, files) == [
        files.program,
        files.command,
        files.state,
        record,
    ]
    host_program.install(desired, files)
    assert host_program.missing(desired, files) == []
    assert Path(files.command).read_bytes() == b"#!program"
    assert os.stat(files.program).st_mode & 0o7777 == 0o755
    assert os.readlink(files.state) == desired.state_dir
    assert json.loads(Path(record).read_text()) == CHOICES
    assert sorted(os.listdir(os.path.dirname(files.program))) == ["classvm", "state"]


@pytest.mark.parametrize("umask", [0o077, 0])
def test_its_mode_does_not_depend_on_the_umask(umask: int, files: Files, desired: Desired) -> None:
    before = os.umask(umask)
    try:
        host_program.install(desired, files)
    finally:
        os.umask(before)
    assert os.stat(files.program).st_mode & 0o7777 == 0o755


def test_each_change_is_seen_and_repaired(files: Files, desired: Desired) -> None:
    host_program.install(desired, files)
    record = os.path.join(desired.state_dir, host.CHOICES)
    for path in (files.program, files.command, files.state, record):
        os.remove(path)
        Path(path).write_text("other")
        assert host_program.missing(desired, files) == [path]
        host_program.install(desired, files)
        assert host_program.missing(desired, files) == []
    os.chmod(files.program, 0o700)
    assert host_program.missing(desired, files) == [files.program]


def test_a_program_that_others_may_write_to_is_not_written_through(
    files: Files, desired: Desired, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    target.write_text("mine")
    os.makedirs(os.path.dirname(files.program))
    os.symlink(target, files.program)
    os.symlink(target, f"{files.program}.new")
    host_program.install(desired, files)
    assert target.read_text() == "mine"
    assert not os.path.islink(files.program)


def test_what_is_in_the_way_is_named(files: Files, desired: Desired, tmp_path: Path) -> None:
    (tmp_path / "usr").write_text("a file")
    with pytest.raises(ClassvmError, match="cannot be written"):
        host_program.install(desired, files)


def test_it_is_removed_with_its_folder(files: Files, desired: Desired) -> None:
    assert host_program.present(files) == []
    host_program.remove(files)
    host_program.install(desired, files)
    assert host_program.present(files) == [files.program, files.command, files.state]
    host_program.remove(files)
    assert host_program.present(files) == []
    assert not os.path.exists(os.path.dirname(files.program))
    assert os.path.isdir(desired.state_dir)


def test_what_somebody_put_beside_it_stays(files: Files, desired: Desired) -> None:
    host_program.install(desired, files)
    other = Path(os.path.dirname(files.program), "other")
    other.touch()
    host_program.remove(files)
    assert other.exists()
