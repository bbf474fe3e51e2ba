"""Python keeps what it compiles of our plugins while Ansible runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import tree

if TYPE_CHECKING:
    from pathlib import Path

KEPT = (
    # What the inventory plugin, an action and a callback import.
    "module_utils/classvm/inventory",
    "module_utils/classvm/output",
    "plugin_utils",
)


def test_what_a_run_has_compiled_is_there_for_the_next(tmp_path: Path) -> None:
    """Without the finder, Ansible compiles its modules in each task, and keeps none."""
    for name in ("ansible", "roles", "ansible.cfg"):
        place = tree.ROOT / name
        ignored = shutil.ignore_patterns("__pycache__")
        if place.is_dir():
            shutil.copytree(place, tmp_path / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(place, tmp_path)
    path = f"{tree.ROOT}/.venv/bin:{os.environ['PATH']}"
    done = subprocess.run(
        ["ansible-playbook", "ansible/status.yml", "--list-hosts"],
        cwd=tmp_path,
        env={"PATH": path, "LC_ALL": "C.UTF-8", "HOME": str(tmp_path)},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for folder in KEPT:
        assert [*(tmp_path / "ansible/plugins" / folder / "__pycache__").glob("*.pyc")], folder
