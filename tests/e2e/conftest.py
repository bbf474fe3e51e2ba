"""Deploy to this machine's own engine, as a user does. Needs root."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from e2e.machine import Run, copy_of_service, play, run


@pytest.fixture(scope="session", autouse=True)
def _root() -> None:
    if os.geteuid() != 0:
        pytest.exit("These tests install an engine: run `sudo make e2e`", returncode=1)


@pytest.fixture(scope="session", autouse=True)
def _programs(_root: None) -> None:
    """Install the programs that the tests themselves run."""
    arguments = "update_cache=true name=nftables,iproute2,procps,e2fsprogs,sudo"
    installed = run("ansible", "localhost", "--module-name", "apt", "--args", arguments)
    assert installed.code == 0, installed.text


@pytest.fixture(scope="session")
def dry_run() -> Run:
    """Return a dry run of the main job, made before anything else."""
    return play("deploy", "--check")


@pytest.fixture(scope="session")
def deployed(dry_run: Run) -> Run:
    """Deploy the tree as it is, once, after the dry run, and return that first run."""
    assert dry_run.code == 0, dry_run.text
    first = play("deploy")

    assert first.code == 0, first.text
    return first


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Return a copy of the service that the test may change."""
    return copy_of_service(tmp_path)
