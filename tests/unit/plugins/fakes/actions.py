"""Import the action plugins, which Ansible loads as files."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

FOLDER = Path(__file__).parents[4] / "ansible/plugins/action"


def load_action(name: str) -> ModuleType:
    """Import an action plugin of ours."""
    spec = importlib.util.spec_from_file_location(f"action_{name}", FOLDER / f"{name}.py")
    assert spec
    assert spec.loader
    action = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(action)
    return action
