"""The student's guide, on this machine: each command runs and prints what the guide shows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e import guide
from e2e.machine import DEPLOY_SECONDS, ROOT, Run, play

pytestmark = pytest.mark.usefixtures("deployed")

STEPS = guide.steps(guide.GUIDE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, deployed: Run) -> Iterator[Path]:
    """Return a copy of the tree; afterwards the lab's own service is live again."""
    assert deployed.code == 0
    copy = tmp_path_factory.mktemp("student") / "classvm"
    left_out = shutil.ignore_patterns(".venv", ".git", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, copy, symlinks=True, ignore=left_out)
    (copy / ".venv").symlink_to(ROOT / ".venv")
    yield copy
    assert play("deploy").code == 0


@pytest.mark.parametrize("number", range(len(STEPS)))
def test_a_step_does_what_the_guide_shows(number: int, folder: Path) -> None:
    step = STEPS[number]
    done = step.run(folder, seconds=DEPLOY_SECONDS)
    assert (done.code != 0) == step.fails, f"{step.title}:\n{done.text}"
    assert step.missing(done.text) == [], f"{step.title}:\n{done.text}"
