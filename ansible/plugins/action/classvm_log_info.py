"""Print the log of a service as it grows."""

from __future__ import annotations

import os
from typing import Any

from ansible.utils.display import Display

from ..module_utils.classvm.base.legible import printable
from ..module_utils.classvm.output import answer
from ..plugin_utils.host_program import Asks

ARGUMENTS = {
    "service": {"type": "str", "required": True},
    "state_dir": {"type": "path", "required": True},
    "lines": {"type": "int", "default": 50},
    "everything": {"type": "bool", "default": False},
}
# So long the host waits for a line; then it is asked again, which shows whether it is still there.
WAIT_SECONDS = 20.0
NOT_ONE_DOCUMENT = "A log that is followed has no end, and FORMAT=json is one document. Leave out FORMAT=json or FOLLOW=1."


class ActionModule(Asks):
    """Asks until the run is interrupted."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Print lines for ever; return only what ends that."""
        super().run(tmp, task_vars)
        if answer.wanted(os.environ) == answer.JSON:
            return {"failed": True, "msg": NOT_ONE_DOCUMENT}
        _, given = self.validate_argument_spec(argument_spec=ARGUMENTS)
        asked = {name: given[name] for name in ("service", "state_dir", "lines")}
        asked["all"] = given["everything"]
        position: dict[str, Any] = {}
        while True:
            told = self.ask("logs", {**asked, **position, "wait": WAIT_SECONDS}, task_vars)
            if told.get("failed") or not told["container"]:
                return told
            for line in told["lines"]:
                Display().display(printable(line))
            position = {name: told[name] for name in ("container", "stamp")}
