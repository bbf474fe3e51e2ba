"""Ask the host program to start, restart or stop the service."""

from __future__ import annotations

from typing import Any

from ..plugin_utils.host_program import Asks

ARGUMENTS = {
    "state": {"type": "str", "choices": ["started", "restarted", "stopped"], "required": True},
    "service": {"type": "str", "required": True},
    "state_dir": {"type": "path", "required": True},
    "health_timeout": {"type": "float"},
}
NEEDED = [("state", state, ["health_timeout"]) for state in ("started", "restarted")]
VERBS = {"started": "start", "restarted": "restart", "stopped": "stop"}


class ActionModule(Asks):
    """The question."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the answer of the host program."""
        super().run(tmp, task_vars)
        _, given = self.validate_argument_spec(argument_spec=ARGUMENTS, required_if=NEEDED)
        asked = {name: given[name] for name in ("service", "state_dir")}
        if given["state"] != "stopped":
            asked["health_timeout"] = given["health_timeout"]
        return self.ask(VERBS[given["state"]], asked, task_vars)
