"""Take the fingerprint of the provision here, where the roles and their variables are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils.classvm.provision import fingerprint


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core ships no types
    """Replace `paths` and `prefixes` by the fingerprint of what they name."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the module's result."""
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        paths = [Path(path).resolve() for path in args.pop("paths", [])]
        prefixes = tuple(args.pop("prefixes", []))
        variables = {
            name: self._templar.template(value)
            for name, value in (task_vars or {}).items()
            if name.startswith(prefixes)
        }
        args["fingerprint"] = fingerprint.fingerprint(paths, variables)
        args["password_given"] = self._password_is_given(task_vars or {})
        answer: dict[str, Any] = self._execute_module(
            self._task.action,
            args,
            task_vars=task_vars,
        )
        if answer.get("privilege") in ("password", "none") and args["password_given"]:
            answer["privilege"] = "sudo"
        return answer

    def _password_is_given(self, task_vars: Any) -> bool:
        """Tell whether the user has told the sudo password, by an option or a variable."""
        names = ("ansible_become_password", "ansible_become_pass")
        return bool(self._play_context.become_pass or any(map(task_vars.get, names)))
