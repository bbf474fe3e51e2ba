"""Print the log of a service as it grows."""

from __future__ import annotations

import os
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils.classvm.output import answer

# So long the module waits for a line; then it is called again, which shows whether the host is still there.
WAIT_SECONDS = 20.0
NOT_ONE_DOCUMENT = "A log that is followed has no end, and FORMAT=json is one document. Leave out FORMAT=json or FOLLOW=1."


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core ships no types
    """Calls the module until the run is interrupted."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Print lines for ever; return only what ends that."""
        super().run(tmp, task_vars)
        if answer.wanted(os.environ) == answer.JSON:
            return {"failed": True, "msg": NOT_ONE_DOCUMENT}
        position: dict[str, Any] = {}
        while True:
            told: dict[str, Any] = self._execute_module(
                self._task.action,
                {**self._task.args, **position, "wait": WAIT_SECONDS},
                task_vars=task_vars,
            )
            if told.get("failed") or not told.get("container"):
                return told
            for line in told["lines"]:
                Display().display(line)
            position = {name: told[name] for name in ("container", "stamp")}
