"""Compute the fingerprint of the provision here, where the roles and their variables are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleActionFail

from ..module_utils.classvm.base.docker import SOCKET
from ..module_utils.classvm.contract.yaml_loader import SAFE_LOADER
from ..module_utils.classvm.program import pack
from ..module_utils.classvm.provision import fingerprint
from .classvm_account_info import Asked

QUERIED, RECORDED, SETTLED = "queried", "recorded", "settled"
IGNORED = "Ignored: {}. classvm uses the engine at {}."
# Of a collection: plugins/action/classvm_provisioned.py lies two folders below its own.
COLLECTION = Path(__file__).parents[2]


class ActionModule(Asked):
    """Replace `playbook` by the fingerprint of what it uses."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the module's result."""
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        playbook = args.pop("playbook", None)
        if playbook:
            args["fingerprint"] = self._fingerprint(Path(playbook), task_vars)
        args["password_given"] = self.password_is_given(task_vars)
        answer = (
            self.with_password(
                self._execute_module(self._task.action, args, task_vars=task_vars), task_vars
            )
            if args.get("state") in (RECORDED, SETTLED)
            else self.asked("verify-provision", request(args), args, task_vars)
        )
        ignored = answer.pop("ignored", ())
        if ignored:
            self._display.warning(IGNORED.format(", ".join(ignored), SOCKET))
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
        return fingerprint.fingerprint(used, variables, pack.digest())


def request(args: dict[str, Any]) -> dict[str, Any]:
    """Return what the host program is asked.

    Args:
        args: of the module.

    """
    asked = {name: value for name, value in args.items() if name != "state" and value != ""}
    return {**asked, "to_deploy": args.get("state", QUERIED) == QUERIED}


def load(text: str) -> Any:
    """Return the content of YAML: plain values, without Ansible's own tags."""
    return yaml.load(text, Loader=SAFE_LOADER)  # noqa: S506 - one of the safe loaders
