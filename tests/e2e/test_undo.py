"""Reset: remove what classvm has made, and only that. It is the last module."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from classvm.base import installed
from classvm.provision import guard
from e2e.machine import common_defaults, docker, play

pytestmark = pytest.mark.usefixtures("deployed")


def test_a_dry_run_removes_nothing() -> None:
    dry = play("reset", "--check")
    assert dry.code == 0, dry.text
    assert dry.changed > 0
    assert "would remove" in dry.last_line
    assert ": up, release" in play("status").last_line


def test_reset_removes_what_classvm_made_and_only_that() -> None:
    others = "classvm-test-other"
    docker("tag", common_defaults()["base_image_name"], others)
    reset = play("reset")
    assert reset.code == 0, reset.text
    for kind in (["ps", "--all"], ["image", "ls"]):
        assert docker(*kind, "--quiet", "--filter", "label=classvm.service") == ""
    assert not Path(common_defaults()["classvm_state_dir"]).exists()
    assert not guard.FOLDER.exists()
    assert not [path for path in installed.watched() if os.path.lexists(path)]
    assert docker("image", "ls", "--quiet", others)
    docker("image", "rm", others)
    assert ": absent" in play("status").last_line


def test_a_second_reset_finds_nothing() -> None:
    again = play("reset")
    assert (again.code, again.changed) == (0, 0), again.text


def test_a_deploy_brings_everything_back() -> None:
    back = play("deploy")
    assert back.code == 0, back.text
    assert ": up, release" in play("status").last_line
