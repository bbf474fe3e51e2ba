"""Look at the settings of a host before anything else happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible.plugins.action import ActionBase

from ..module_utils.classvm.release import settings

# Of a collection: plugins/action/classvm_settings.py lies two folders below its own.
COLLECTION = Path(__file__).parents[2]
# What the playbooks of the kit have beside the settings of the roles.
PLAYBOOK_SETTINGS = ["service_answer_seconds"]
ARGUMENTS = {"also": {"type": "list", "elements": "str", "default": PLAYBOOK_SETTINGS}}


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core ships no types
    """The whole work, without a module: what it looks at is on the control node."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return what is wrong with the settings."""
        super().run(tmp, task_vars)
        _, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS)
        return check(dict(task_vars or {}), arguments["also"], COLLECTION / "roles")


def check(given: dict[str, Any], also: list[str], roles: Path) -> dict[str, Any]:
    """Return the task's result.

    Args:
        given: all variables of the host.
        also: settings that a playbook itself has, beside those of the roles.
        roles: folder of the roles.

    """
    options = options_of(roles)
    prefixes = {f"{name.partition('_')[0]}_" for name in options}
    found = settings.problems(given, {**{name: {} for name in also}, **options}, prefixes)
    if not found:
        return {"changed": False}
    return {"changed": False, "failed": True, "msg": str(settings.message(found))}


def options_of(roles: Path) -> dict[str, dict[str, Any]]:
    """Return the options of all roles by name."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(roles.glob("*/meta/argument_specs.yml")):
        specs = yaml.safe_load(file.read_text(encoding="utf-8"))["argument_specs"]
        for entry in specs.values():
            found.update(entry.get("options") or {})
    return found
