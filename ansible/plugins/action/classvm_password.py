"""Ask for the sudo password on the terminal, and try it before anything depends on it."""

from __future__ import annotations

import contextlib
import os
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils.classvm.output import terminal

ARGUMENTS = {
    "account": {"type": "str", "required": True},
    "reason": {"type": "str", "default": ""},
    "hint": {"type": "str", "default": ""},
    "known": {"type": "str", "default": "", "no_log": True},
}
TRIES = 3
# The password is its input; nothing that sudo remembers counts.
SUDO = "sudo --stdin --reset-timestamp --prompt= true"
NO_TERMINAL = (
    "sudo on {host} needs a password, and there is no terminal to ask for it."
    " Run the command in a terminal, or name a file that holds the password:"
    ' ARGS="--become-password-file FILE".'
)
WRONG = "That is not the password of {account} on {host}."
ALWAYS_WRONG = (
    "The password of {account} on {host} was wrong three times, so nothing was done."
    " Run the command again"
)
NOT_ALLOWED = "{account} may not use sudo on {host}: {said}. Ask an admin to run it, or to allow it"


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core ships no types
    """The whole work, without a module: the terminal is that of the control node."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the password, or why there is none."""
        super().run(tmp, task_vars)
        _, given = self.validate_argument_spec(argument_spec=ARGUMENTS)
        names = {"account": given["account"], "host": task_vars["inventory_hostname"]}
        if given["known"]:
            return answer(given["known"])
        # This is a worker of the process that the person has started.
        if terminal.is_in_foreground(os.getppid()):
            with contextlib.suppress(terminal.NoTerminalError):
                return self._ask(given["hint"], given["reason"], names)
        return answer(problem=NO_TERMINAL.format(**names))

    def _ask(self, hint: str, reason: str, names: dict[str, str]) -> dict[str, Any]:
        """Ask until a password is right."""
        why = f" ({reason})" if reason else ""
        if hint:
            terminal.OWN.tell(hint)
        for _ in range(TRIES):
            question = "sudo password of {account} on {host}".format(**names)
            password = terminal.OWN.ask_hidden(f"{question}{why}: ")
            tried = self._low_level_execute_command(
                SUDO, sudoable=False, in_data=f"{password}\n".encode()
            )
            if tried["rc"] == 0:
                return answer(password)
            if "sudoers" in tried["stderr"] or "not allowed" in tried["stderr"]:
                said = tried["stderr"].strip().splitlines()[-1].rstrip(".")
                return answer(problem=NOT_ALLOWED.format(said=said, **names))
            terminal.OWN.tell(WRONG.format(**names))
        return answer(problem=ALWAYS_WRONG.format(**names))


def answer(password: str = "", problem: str = "") -> dict[str, Any]:
    """Return the task's result."""
    return {"changed": False, "password": password, "problem": problem}
