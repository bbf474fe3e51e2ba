"""Compute the fingerprint of the provision here, where the roles and their variables are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..module_utils.classvm.contract.yaml_loader import SAFE_LOADER
from ..module_utils.classvm.provision import fingerprint

# Of a collection: plugins/action/classvm_provisioned.py lies two folders below its own.
COLLECTION = Path(__file__).parents[2]
NEEDS_ROOT = (
    "`make {verb}` needs root on {host}, and this account cannot become root there{why}."
    " Run it as root, or ask an admin to run it"
)
# What a result holds that was shown when it was new.
SHOWN = ("warnings", "deprecations")


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core ships no types
    """Replace `playbook` by the fingerprint of what it uses; ask nothing that is known."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the module's result."""
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        known, root_for = args.pop("known", None), args.pop("root_for", "")
        answer = told(known) if known else self._asked(args, task_vars or {})
        if root_for and answer.get("privilege") == "none":
            host = (task_vars or {})["inventory_hostname"]
            why = f": {answer['obstacle']}" if answer.get("obstacle") else ""
            raise AnsibleActionFail(NEEDS_ROOT.format(verb=root_for, host=host, why=why))
        return answer

    def _asked(self, args: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        """Return what the module answers on the host."""
        playbook = args.pop("playbook", None)
        if playbook:
            args["fingerprint"] = self._fingerprint(Path(playbook), task_vars)
        args["password_given"] = self._password_is_given(task_vars)
        answer: dict[str, Any] = self._execute_module(
            self._task.action,
            args,
            task_vars=task_vars,
        )
        if answer.get("privilege") in ("password", "none") and args["password_given"]:
            answer["privilege"] = "sudo"
        return answer

    def _fingerprint(self, playbook: Path, task_vars: Any) -> str:
        """Return the fingerprint of a playbook, with the variables of its roles."""
        used = fingerprint.closure(playbook, COLLECTION, load)
        if not used.roles:
            raise AnsibleActionFail(f"{playbook} uses no role of the collection in {COLLECTION}")
        prefixes = tuple(f"{role}_" for role in used.roles)
        variables = {
            name: self._templar.template(value)
            for name, value in task_vars.items()
            if name.startswith(prefixes)
        }
        return fingerprint.fingerprint(used, variables)

    def _password_is_given(self, task_vars: Any) -> bool:
        """Tell whether the user has given the sudo password, by an option or a variable."""
        names = ("ansible_become_password", "ansible_become_pass")
        return bool(self._play_context.become_pass or any(map(task_vars.get, names)))


def told(known: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to a question of an earlier play as that of this task."""
    return {name: value for name, value in known.items() if name not in SHOWN}


def load(text: str) -> Any:
    """Return the content of YAML: plain values, without Ansible's own tags."""
    return yaml.load(text, Loader=SAFE_LOADER)  # noqa: S506 - one of the safe loaders
