"""Control groups for builds."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from classvm.base.errors import ClassvmError
from classvm.image import build_group
from classvm.image.build_group import CONTROLLERS, Share, made

SHARE = Share(memory=1 << 30, pids=512, cpus=1.5)


@pytest.fixture
def unified(tmp_path: Path) -> Path:
    """Return the file system of groups of a kernel with one hierarchy."""
    (tmp_path / "cgroup.controllers").write_text("cpu io memory pids\n")
    return tmp_path


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """Return that of a kernel with a hierarchy for each controller."""
    for name in CONTROLLERS:
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture(autouse=True)
def files_go_with_their_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove a group as the kernel does: its files are no obstacle, a running process is."""

    remove = os.rmdir

    def rmdir(path: str) -> None:
        folder = Path(path)
        procs = folder / "cgroup.procs"
        if procs.exists() and procs.read_text():
            raise OSError(16, "busy")
        for file in folder.iterdir():
            file.unlink()
        remove(folder)

    monkeypatch.setattr(os, "rmdir", rmdir)


def settings(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir() if file.is_file()}


def test_one_hierarchy(unified: Path) -> None:
    with made(SHARE, unified) as group:
        assert group.startswith("/classvm-build-")
        assert settings(unified / group[1:]) == {
            "memory.max": str(1 << 30),
            "memory.swap.max": "0",
            "pids.max": "512",
            "cpu.max": "150000 100000",
        }
        assert (unified / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"
    assert not list(unified.glob("classvm-*"))


def test_several_hierarchies(several: Path) -> None:
    with made(SHARE, several) as group:
        name = group[1:]
        assert settings(several / "memory" / name)["memory.limit_in_bytes"] == str(1 << 30)
        assert settings(several / "memory" / name)["memory.memsw.limit_in_bytes"] == str(1 << 30)
        assert settings(several / "pids" / name) == {"pids.max": "512"}
        quota = {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "150000"}
        assert settings(several / "cpu" / name) == quota
        (several / "freezer" / name).mkdir(parents=True)  # by the engine
    assert not list(several.glob("*/classvm-*"))


def test_two_builds_have_two_groups(unified: Path) -> None:
    with made(SHARE, unified) as one, made(SHARE, unified) as two:
        assert one != two


def test_what_still_runs_is_ended(unified: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[tuple[int, int]] = []
    with made(SHARE, unified) as group:
        below = unified / group[1:] / "buildkit" / "x"
        below.mkdir(parents=True)
        (below / "cgroup.procs").write_text("4711\n4712\n")

        def kill(process: int, number: int) -> None:
            killed.append((process, number))
            (below / "cgroup.procs").write_text("")

        monkeypatch.setattr(os, "kill", kill)
    assert killed == [(4711, signal.SIGKILL), (4712, signal.SIGKILL)]
    assert not list(unified.glob("classvm-*"))


def test_what_a_killed_run_has_left_goes_and_a_build_that_runs_stays(unified: Path) -> None:
    for name, procs in (("classvm-build-old", ""), ("classvm-build-busy", "1\n"), ("docker", "")):
        (unified / name).mkdir()
        (unified / name / "cgroup.procs").write_text(procs)
    with made(SHARE, unified):
        assert not (unified / "classvm-build-old").exists()
    assert (unified / "classvm-build-busy").is_dir()
    assert (unified / "docker").is_dir()


def test_a_host_without_groups(tmp_path: Path) -> None:
    with pytest.raises(ClassvmError, match="cannot be bounded on this host"), made(SHARE, tmp_path):
        pytest.fail("the build would run without bounds")


def test_a_group_that_does_not_end_is_left_after_a_while(
    unified: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_group, "END_SECONDS", 0.05)
    monkeypatch.setattr(build_group, "PAUSE_SECONDS", 0.01)
    with subprocess.Popen(["sleep", "9"]) as process:
        with made(SHARE, unified) as group:
            (unified / group[1:] / "cgroup.procs").write_text(f"{process.pid}\n")
        assert process.wait(timeout=5) == -signal.SIGKILL
    assert (unified / group[1:]).is_dir()
