"""Ask the host program to turn maintenance on or off."""

from __future__ import annotations

from typing import Any

from ..plugin_utils.host_program import Asks

ARGUMENTS = {
    "enabled": {"type": "bool", "required": True},
    "state_dir": {"type": "path", "required": True},
}


class ActionModule(Asks):
    """The question."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the answer of the host program."""
        super().run(tmp, task_vars)
        _, given = self.validate_argument_spec(argument_spec=ARGUMENTS)
        asked = {"on": given["enabled"], "state_dir": given["state_dir"]}
        return self.ask("maintenance", asked, task_vars)
