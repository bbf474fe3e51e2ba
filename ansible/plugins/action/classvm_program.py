"""Pack the host program here, where its modules are."""

from __future__ import annotations

import base64
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils.classvm.program import pack


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core ships no types
    """The module, with the program that it installs."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the module's result."""
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        if args.get("state", "present") == "present":
            args["program"] = base64.b64encode(pack.program()).decode()
        answer: dict[str, Any] = self._execute_module(self._task.action, args, task_vars=task_vars)
        return answer
