"""The student's guide, on this machine: each command runs and prints what the guide shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e import guide
from e2e.machine import DEPLOY_SECONDS, Run, play

pytestmark = pytest.mark.usefixtures("deployed")

STEPS = guide.read(guide.STUDENT)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, deployed: Run) -> Iterator[Path]:
    """Return a copy of the tree; afterwards the lab's own service is live again."""
    assert deployed.code == 0
    yield guide.copied(tmp_path_factory.mktemp("student"))
    assert play("deploy").code == 0


@pytest.mark.parametrize("number", range(len(STEPS)))
def test_a_step_does_what_the_guide_shows(number: int, folder: Path) -> None:
    STEPS[number].follow(folder, seconds=DEPLOY_SECONDS)
