"""Ask what an account may do on a host; refuse a command for which that is too little."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail

from ..plugin_utils.host_program import Asks

NEEDS_ROOT = (
    "`make {verb}` needs root on {host}, and this account cannot become root there{why}."
    " Run it as root, or ask an admin to run it"
)


class Asked(Asks):
    """An action that asks the host program what the account may do, or a module where that cannot tell."""

    def asked(
        self, verb: str, request: dict[str, Any], args: dict[str, Any], task_vars: Any
    ) -> dict[str, Any]:
        """Return the answer of the host.

        Args:
            verb: of the host program.
            request: for it.
            args: for the module, which says the same but takes longer.
            task_vars: as Ansible hands them to `run`.

        """
        answer = self.answer_or_none(verb, request)
        if answer is None:
            answer = self._execute_module(self._task.action, args, task_vars=task_vars)
        return self.with_password(answer, task_vars)

    def with_password(self, answer: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        """Return the answer: with the password that the user has given, sudo works."""
        if answer.get("privilege") in ("password", "none") and self.password_is_given(task_vars):
            answer["privilege"] = "sudo"
        return answer

    def password_is_given(self, task_vars: Any) -> bool:
        """Tell whether the user has given the sudo password, by an option or a variable."""
        names = ("ansible_become_password", "ansible_become_pass")
        return bool(self._play_context.become_pass or any(map(task_vars.get, names)))


class ActionModule(Asked):
    """The question, and the refusal."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the module's result."""
        super().run(tmp, task_vars)
        root_for = dict(self._task.args).pop("root_for", "")
        answer = {"stale": "", **self.asked("account", {}, {}, task_vars)}
        if root_for and answer.get("privilege") == "none":
            host = task_vars["inventory_hostname"]
            why = f": {answer['obstacle']}" if answer.get("obstacle") else ""
            raise AnsibleActionFail(NEEDS_ROOT.format(verb=root_for, host=host, why=why))
        return answer
