"""The admin's guide, on simulated VMs: each command runs and prints what the guide shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e import guide
from e2e.machine import DEPLOY_SECONDS

STEPS = guide.read(guide.ADMIN)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a copy of the tree; afterwards the simulated VMs are gone, whatever happened."""
    made = guide.copied(tmp_path_factory.mktemp("admin"))
    yield made
    STEPS[-1].follow(made, seconds=DEPLOY_SECONDS)


def test_the_last_step_removes_the_vms() -> None:
    assert STEPS[-1].title.startswith("make lab-down ")


@pytest.mark.parametrize("number", range(len(STEPS)))
def test_a_step_does_what_the_guide_shows(number: int, folder: Path) -> None:
    STEPS[number].follow(folder, seconds=DEPLOY_SECONDS)
